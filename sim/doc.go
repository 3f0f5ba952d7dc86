// Package sim is for running programs that are written against internal/host under virtual time, on a network and on disks that
// fail on purpose, with a result that is a function of the seed alone.
//
// A [Kernel] owns the clock and a queue of what is to happen. A [Process] is a simulated machine: its threads are coroutines, of
// which exactly one runs at a time, and every blocking call parks the thread in the kernel. Whatever is due at the same instant is
// taken in an order drawn from the seed. The [Network] carries calls from processes to endpoints (event-driven servers) and
// messages between endpoints; a [Disk] loses what was not synced.
//
// Everything here is used from one goroutine (the one that calls [Kernel.Run], and the coroutines it resumes); the exception is
// the file system of a process, which libraries may use from goroutines of their own. Kernels share nothing: any number may run side
// by side. The package knows nothing about Kafka.
package sim
