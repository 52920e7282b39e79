// Package regf is being written.
package regf
