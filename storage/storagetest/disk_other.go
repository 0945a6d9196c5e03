//go:build !linux

package storagetest

import "errors"

func mountMemory(string, int) (func() error, error) {
	return nil, errors.New("it takes Linux to mount memory")
}

func ownedAs(string, string) error { return errors.New("it takes Linux to give a directory away") }
