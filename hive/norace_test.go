//go:build !race

package hive_test

// raceDetector says that the tests run under it: ten times slower.
const raceDetector = false
