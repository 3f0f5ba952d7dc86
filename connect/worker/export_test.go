package worker

// RangeAssignor is the assignor of sink tasks.
type RangeAssignor = rangeAssignor
