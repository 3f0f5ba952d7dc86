// Package connectlab is for trying Connect's worker where it can fail: on the simulated cluster, with machines that crash. It has tests only.
package connectlab
