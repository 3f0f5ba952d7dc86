// Package guide is for the programs of the guide: each page shows functions of this folder's tests, which are compiled and run, and a test
// checks that page and program are the same text.
package guide
