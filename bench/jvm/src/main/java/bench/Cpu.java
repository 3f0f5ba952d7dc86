package bench;

import com.sun.jna.Native;

/** The process's CPU time, with that of the collector and the compiler. The JVM's own reading of it counts in steps of 10 ms. */
final class Cpu {
    static {
        Native.register("c");
    }

    private Cpu() { }

    private static native long clock(); // microseconds, by POSIX

    static long nanos() {
        return clock() * 1000;
    }
}
