//go:build unix

package local

const killedEngineVariable = "BAILEY_TEST_KILLED_ENGINE"

func runUntilKilled() {}
