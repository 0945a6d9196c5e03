package reports

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/xuri/excelize/v2"
)

// Same tells whether two documents are the same bytes.
func Same(a, b io.Reader) (bool, error) {
	const block = 64 << 10
	left, right := make([]byte, block), make([]byte, block)
	for {
		n, errA := io.ReadFull(a, left)
		m, errB := io.ReadFull(b, right)
		if err := errors.Join(readError(errA), readError(errB)); err != nil {
			return false, fmt.Errorf("compare two documents: %w", err)
		}
		if !bytes.Equal(left[:n], right[:m]) {
			return false, nil
		}
		if errA != nil || errB != nil {
			return errA != nil && errB != nil, nil
		}
	}
}

// readError is err, unless it only says that the document ended.
func readError(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}

// Difference names the first cell in which two workbooks differ, with both
// values; it is empty where all sheets have the same cells. It answers why two
// workbooks are not the Same.
func Difference(kept, recomputed io.Reader) (string, error) {
	a, err := excelize.OpenReader(kept)
	if err != nil {
		return "", fmt.Errorf("open the kept workbook: %w", err)
	}
	defer a.Close()
	b, err := excelize.OpenReader(recomputed)
	if err != nil {
		return "", fmt.Errorf("open the recomputed workbook: %w", err)
	}
	defer b.Close()
	if x, y := a.GetSheetList(), b.GetSheetList(); !slices.Equal(x, y) {
		return fmt.Sprintf("sheets: %q kept, %q recomputed", x, y), nil
	}
	for _, sheet := range a.GetSheetList() {
		found, err := sheetDifference(a, b, sheet)
		if found != "" || err != nil {
			return found, err
		}
	}
	return "", nil
}

func sheetDifference(a, b *excelize.File, sheet string) (string, error) {
	left, err := a.Rows(sheet)
	if err != nil {
		return "", fmt.Errorf("read sheet %s of the kept workbook: %w", sheet, err)
	}
	defer left.Close()
	right, err := b.Rows(sheet)
	if err != nil {
		return "", fmt.Errorf("read sheet %s of the recomputed workbook: %w", sheet, err)
	}
	defer right.Close()
	for row := 1; ; row++ {
		more, moreB := left.Next(), right.Next()
		if !more && !moreB {
			return "", errors.Join(left.Error(), right.Error())
		}
		x, errA := cellsOf(left, more)
		y, errB := cellsOf(right, moreB)
		if err := errors.Join(errA, errB); err != nil {
			return "", fmt.Errorf("read sheet %s, row %d: %w", sheet, row, err)
		}
		for i := range max(len(x), len(y)) {
			if kept, now := at(x, i), at(y, i); kept != now {
				return fmt.Sprintf("%s!%s: %q kept, %q recomputed", sheet, column26(i)+strconv.Itoa(row), kept, now), nil
			}
		}
	}
}

// cellsOf is the raw text of the row's cells; none after the last row.
func cellsOf(rows *excelize.Rows, more bool) ([]string, error) {
	if !more {
		return nil, nil
	}
	return rows.Columns(excelize.Options{RawCellValue: true})
}

func at(cells []string, i int) string {
	if i < len(cells) {
		return cells[i]
	}
	return ""
}
