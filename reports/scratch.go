package reports

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// scratchInMemory is how many packed bytes a workbook holds in memory before
// they go to a file. A statement of some hundred lines needs no file.
const scratchInMemory = 1 << 20

// scratch is where packed rows lie until the workbook is put together: in
// memory while they are few, then in a file.
type scratch struct {
	held []byte
	file *os.File
}

func (s *scratch) Write(p []byte) (int, error) {
	if s.file == nil && len(s.held)+len(p) > scratchInMemory {
		if err := s.spill(); err != nil {
			return 0, err
		}
	}
	if s.file != nil {
		return s.file.Write(p)
	}
	s.held = append(s.held, p...)
	return len(p), nil
}

// spill moves what is in memory to a file.
func (s *scratch) spill() error {
	file, err := os.CreateTemp("", "nightshift-workbook-")
	if err != nil {
		return fmt.Errorf("make a scratch file (set TMPDIR to a writable directory): %w", err)
	}
	if _, err := file.Write(s.held); err != nil {
		return errors.Join(err, file.Close(), os.Remove(file.Name()))
	}
	s.file, s.held = file, nil
	return nil
}

func (s *scratch) ReadAt(p []byte, offset int64) (int, error) {
	if s.file != nil {
		return s.file.ReadAt(p, offset)
	}
	if offset >= int64(len(s.held)) {
		return 0, io.EOF
	}
	n := copy(p, s.held[offset:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (s *scratch) discard() {
	if s.file != nil {
		_ = s.file.Close()
		_ = os.Remove(s.file.Name())
		s.file = nil
	}
}
