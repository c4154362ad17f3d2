package build

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/bailey-cdk/bailey/internal/atomicfile"
)

// recipe is how the go command made a program last: what it ran for the main
// package, and the files that it wrote for that. As long as nothing but the bodies
// of that package's functions has changed, it would run the same again, after a
// look at all packages that costs as much as half of it.
type recipe struct {
	// Key stands for all that the go command looked at beside the files.
	Key string
	// Sources are the hashes of the program's files, Headers what [Headers] gives
	// for them, by the names that the caller has for them.
	Sources, Headers map[string]string
	// Compile and Link are the two commands. They name $WORK.
	Compile, Link command
	// Configs are the files that they read, by their names in $WORK.
	Configs map[string]string
	// Archives are the compiled packages that must still be in Go's build cache.
	Archives []string
}

// command is one that the go command has run.
type command struct {
	Dir  string
	Env  []string
	Args []string
}

const workFolder = "$WORK/b001" // of the main package

// parseRecipe reads what "go build -x" has printed. It fails where the main package
// takes more than the compiler and the linker (assembly, C, embedded files, a
// profile), or where other packages were compiled too, which are not kept under
// the names that they had.
func parseRecipe(printed string) (*recipe, error) {
	lines := strings.Split(printed, "\n")
	work, ok := strings.CutPrefix(lines[0], "WORK=")
	if !ok {
		return nil, errors.New("no work folder is named")
	}
	r := &recipe{Configs: map[string]string{}}
	var dir string
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		switch {
		case strings.HasPrefix(line, "cd "):
			if to := strings.TrimPrefix(line, "cd "); to != "." {
				dir = to
			}
		case strings.HasPrefix(line, "cat >"):
			name, _, _ := strings.Cut(strings.TrimPrefix(line, "cat >"), " ")
			end := slices.Index(lines[i+1:], "EOF")
			if end < 0 {
				return nil, errors.New("a file has no end")
			}
			name = strings.Replace(name, work, "$WORK", 1)
			r.Configs[name] = strings.ReplaceAll(strings.Join(lines[i+1:i+1+end], "\n")+"\n", work, "$WORK")
			i += end + 1
		case strings.Contains(line, "/compile -o $WORK"), strings.Contains(line, "/link -o $WORK"):
			if err := r.add(dir, line); err != nil {
				return nil, err
			}
		}
	}
	return r, r.check()
}

func (r *recipe) add(dir, line string) error {
	c, err := parseCommand(dir, line)
	if err != nil {
		return err
	}
	into := &r.Compile
	if strings.HasSuffix(strings.TrimSuffix(c.Args[0], ".exe"), "link") {
		into = &r.Link
	}
	if into.Args != nil {
		return errors.New("more than the main package was compiled")
	}
	*into = c
	return nil
}

// check wants two commands that need nothing of the work folder but what is known.
func (r *recipe) check() error {
	if r.Compile.Args == nil || r.Link.Args == nil || len(r.Configs) != 2 {
		return errors.New("it is not made by one compiler and one linker")
	}
	for _, flag := range []string{"-embedcfg", "-symabis", "-pgoprofile"} {
		if slices.Contains(r.Compile.Args, flag) {
			return errors.New("the compiler is given more than Go source")
		}
	}
	for _, text := range r.Configs {
		for line := range strings.Lines(text) {
			if !strings.HasPrefix(line, "packagefile ") {
				continue
			}
			_, file, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
			switch {
			case file == workFolder+"/_pkg_.a":
			case strings.Contains(file, "$WORK"):
				return errors.New("a package was compiled too")
			default:
				r.Archives = append(r.Archives, file)
			}
		}
	}
	slices.Sort(r.Archives)
	r.Archives = slices.Compact(r.Archives)
	return nil
}

// parseCommand reads a line that "go build -x" prints: variables, quoted for a
// shell, and then words, quoted as in Go where that is needed.
func parseCommand(dir, line string) (c command, err error) {
	c.Dir = dir
	for line = strings.TrimSpace(line); line != ""; line = strings.TrimLeft(line, " ") {
		if quoted, err := strconv.QuotedPrefix(line); err == nil && line[0] == '"' {
			word, err := strconv.Unquote(quoted)
			if err != nil {
				return c, err
			}
			c.Args, line = append(c.Args, word), line[len(quoted):]
			continue
		}
		word, rest, _ := strings.Cut(line, " ")
		line = rest
		name, value, assigned := strings.Cut(word, "=")
		switch {
		case c.Args == nil && assigned && strings.HasPrefix(value, "'") && strings.HasSuffix(value, "'") && len(value) > 1:
			c.Env = append(c.Env, name+"="+value[1:len(value)-1])
		case strings.ContainsAny(word, "\"'`\\"):
			return c, fmt.Errorf("%s is not understood", word)
		default:
			c.Args = append(c.Args, word)
		}
	}
	if len(c.Args) == 0 || !filepath.IsAbs(c.Args[0]) || !filepath.IsAbs(dir) {
		return c, errors.New("a command has no place")
	}
	return c, nil
}

// readRecipe reads the recipe in file where that makes a program of the sources as
// they are now: nothing has changed but bodies in the main package. path makes a
// path of their names.
func readRecipe(file, key string, now map[string]string, path func(string) string) *recipe {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	var r recipe
	if json.Unmarshal(text, &r) != nil || key == "" || r.Key != key || r.Compile.Args == nil {
		return nil
	}
	for name, hash := range now {
		if r.Sources[name] != hash && !r.compiles(path(name)) {
			return nil
		}
	}
	if !SamePackages(r.Sources, now, r.Headers, path) {
		return nil
	}
	for _, file := range r.Archives {
		if _, err := os.Stat(file); err != nil {
			return nil
		}
	}
	return &r
}

// compiles tells whether a file is one of the main package.
func (r *recipe) compiles(file string) bool {
	return slices.ContainsFunc(r.Compile.Args, func(arg string) bool {
		return filepath.Ext(arg) == ".go" && join(r.Compile.Dir, arg) == file
	})
}

// saveRecipe keeps what "go build -x" has printed, where it is a recipe. An older one
// stays otherwise: it tells itself what it is good for.
func saveRecipe(file, printed, key string, sources map[string]string, path func(string) string) {
	r, err := parseRecipe(printed)
	if err != nil {
		return
	}
	r.Key, r.Sources, r.Headers = key, sources, Headers(sources, path)
	if text, err := json.Marshal(r); err == nil {
		_ = atomicfile.Write(file, text) // else the next build asks the go command
	}
}

// make follows the recipe, with env for its commands. After an error the go command
// can tell more.
func (r *recipe) make(ctx context.Context, env []string, output string) error {
	work, err := os.MkdirTemp("", "bailey-build-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	fill := func(text string) string { return strings.ReplaceAll(text, "$WORK", work) }
	if err := os.MkdirAll(filepath.Join(fill(workFolder), "exe"), 0o755); err != nil {
		return err
	}
	for name, text := range r.Configs {
		if err := os.WriteFile(fill(name), []byte(fill(text)), 0o600); err != nil {
			return err
		}
	}
	for _, c := range []command{r.Compile, r.Link} {
		args := make([]string, len(c.Args))
		for i, arg := range c.Args {
			args[i] = fill(arg)
			if i > 0 && c.Args[i-1] == "-o" && strings.HasSuffix(arg, "a.out") {
				args[i] = output
			}
		}
		cmd := exec.CommandContext(ctx, args[0], args[1:]...)
		cmd.Dir, cmd.Env = c.Dir, slices.Concat(env, []string{"PWD=" + c.Dir}, c.Env)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%w: %.500s", err, out)
		}
	}
	return nil
}
