package synth

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// plainWords is a command line that the shell would split at spaces and leave
// alone otherwise.
var plainWords = regexp.MustCompile(`^[A-Za-z0-9_./=,@:+ -]+$`)

// goFlags are flags of go run that take part in choosing what is compiled.
var goFlags = []string{"-tags", "-mod", "-modfile"}

// goProgram returns what a command line runs by "go run", as package or files with
// the flags before them, the arguments that follow, and ok where nothing else is
// run that has a say in the assembly.
func goProgram(line string) (program, arguments []string, ok bool) {
	line = strings.TrimSpace(line)
	if before, after, two := strings.Cut(line, "&&"); two {
		// what cdk init writes
		if !slices.Equal(strings.Fields(before), []string{"go", "mod", "download"}) {
			return nil, nil, false
		}
		line = strings.TrimSpace(after)
	}
	words := strings.Fields(line)
	if !plainWords.MatchString(line) || len(words) < 3 || words[0] != "go" || words[1] != "run" {
		return nil, nil, false
	}
	words = words[2:]
	for len(words) > 0 && strings.HasPrefix(words[0], "-") {
		name, _, joined := strings.Cut(words[0], "=")
		switch {
		case !slices.Contains(goFlags, "-"+strings.TrimLeft(name, "-")):
			return nil, nil, false
		case joined:
			program, words = append(program, words[0]), words[1:]
		case len(words) > 1:
			program, words = append(program, words[0], words[1]), words[2:]
		default:
			return nil, nil, false
		}
	}
	if len(words) == 0 || strings.Contains(words[0], "@") {
		return nil, nil, false
	}
	n := 1
	for n < len(words) && filepath.Ext(words[0]) == ".go" && filepath.Ext(words[n]) == ".go" {
		n++
	}
	return append(program, words[:n]...), words[n:], true
}
