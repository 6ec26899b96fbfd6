// SPDX-License-Identifier: Apache-2.0

// This file owns the errors of the package: one sentinel for each class of refusal and the FieldError
// that names what was refused.

package pool

import (
	"errors"
	"fmt"
)

// Classes of refusal. Every error of a decoder matches exactly one of them with errors.Is.
var (
	// ErrNotOurs: the magic is missing; the bytes were never written by this project.
	ErrNotOurs = errors.New("no magic")
	// ErrDamaged: the checksum does not match.
	ErrDamaged = errors.New("damaged")
	// ErrVersion: a version or an incompatible feature that this code does not know.
	ErrVersion = errors.New("unsupported version or feature")
	// ErrInvalid: a field holds a value that no correct writer produces.
	ErrInvalid = errors.New("invalid field")
	// ErrLength: the input is not exactly as long as the structure.
	ErrLength = errors.New("wrong length")
)

// FieldError says which field was refused, with which value and why.
type FieldError struct {
	Class  error  // one of the sentinels above
	Struct string // structure as the headers name it, for example "rmr_sb"
	Field  string // field as the headers name it, with a path for nested ones: "view.syncing"
	Value  uint64 // the value, or the first bytes of it; a length for ErrLength
	Why    string // for people
}

// Error gives one line: structure, field, reason and value.
func (e *FieldError) Error() string {
	return fmt.Sprintf("%s.%s: %s (%#x)", e.Struct, e.Field, e.Why, e.Value)
}

// Unwrap returns the class.
func (e *FieldError) Unwrap() error { return e.Class }

func invalid(structure, field string, value uint64, why string) *FieldError {
	return &FieldError{Class: ErrInvalid, Struct: structure, Field: field, Value: value, Why: why}
}
