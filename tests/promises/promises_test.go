// SPDX-License-Identifier: Apache-2.0

// docs/promises.md may name no guard that does not exist, and may leave no promise without one.

package promises

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rmr-block/rmr/tests/sim"
)

const root = "../.."

var (
	guardRE   = regexp.MustCompile("`(go|kunit|model|sim):([^`]+)`")
	goTestRE  = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	kunitRE   = regexp.MustCompile(`KUNIT_CASE(?:_PARAM)?\((\w+)`)
	promiseRE = regexp.MustCompile(`(?m)^\| (I\d+) (\w+(?: \w+)*) \|`)
)

// known is every guard that exists: "go:Name", "kunit:name" and so on.
type known map[string]bool

func collect(t *testing.T) (guards known, goFiles map[string]string) {
	t.Helper()
	guards, goFiles = known{}, map[string]string{}
	for _, dir := range []string{"tests", "pkg", "internal", "kmod", "cmd"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, d fs.DirEntry, err error) error {
			isGo, isKUnit := strings.HasSuffix(path, "_test.go"), strings.HasSuffix(path, "_kunit.c")
			if err != nil || d.IsDir() || !isGo && !isKUnit {
				return err
			}
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			if isKUnit {
				for _, m := range kunitRE.FindAllSubmatch(b, -1) {
					guards["kunit:"+string(m[1])] = true
				}
				return nil
			}
			for _, m := range goTestRE.FindAllSubmatch(b, -1) {
				guards["go:"+string(m[1])] = true
				goFiles[string(m[1])] = string(b)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"configs.txt", "mutants.txt"} {
		b, err := os.ReadFile(filepath.Join(root, "tests/model", name))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(b)) {
			if f := strings.Fields(line); len(f) > 0 && f[0] != "#" {
				guards["model:"+f[0]] = true
			}
		}
	}
	for _, m := range sim.Mutants() {
		guards["sim:"+string(m.Rule)] = m.Seed != 0 // else no run shows it
	}
	return guards, goFiles
}

func readPage(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, "docs", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestNamedGuardsExist(t *testing.T) {
	guards, goFiles := collect(t)
	example := map[string]bool{"go:Name": true, "go:Name/part": true, "kunit:name": true, "model:name": true, "model:N_RULE": true, "model:M_RULE": true, "sim:RULE": true}
	n := 0
	for _, m := range guardRE.FindAllStringSubmatch(readPage(t, "promises.md"), -1) {
		name := m[1] + ":" + m[2]
		if example[name] {
			continue
		}
		n++
		test, part, hasPart := strings.Cut(m[2], "/")
		if !guards[m[1]+":"+test] {
			t.Errorf("%s does not exist", name)
		}
		if hasPart && !strings.Contains(goFiles[test], `t.Run("`+part+`"`) {
			t.Errorf("%s: %s has no such part", name, test)
		}
	}
	if n < 100 {
		t.Errorf("only %d guards are named", n)
	}
}

// Every promise of the protocol page has its row, under the same name, and every cell names a guard or says
// that there is none.
func TestEveryPromiseHasGuards(t *testing.T) {
	page := readPage(t, "promises.md")
	promises := promiseRE.FindAllStringSubmatch(readPage(t, "protocol.md"), -1)
	if len(promises) != 10 {
		t.Fatalf("the protocol page has %d promises, want I1 to I10", len(promises))
	}
	for _, p := range promises {
		_, row, found := strings.Cut(page, "\n| "+p[1]+" "+p[2]+" |")
		if !found {
			t.Errorf("%s %s has no row", p[1], p[2])
			continue
		}
		row, _, _ = strings.Cut(row, "\n")
		cells := strings.Split(strings.TrimSuffix(row, "|"), "|")
		if len(cells) != 4 {
			t.Errorf("%s: %d cells, want models, rules, simulator, scenarios", p[1], len(cells))
		}
		for i, cell := range cells {
			if !guardRE.MatchString(cell) && !strings.HasPrefix(strings.TrimSpace(cell), "none: ") {
				t.Errorf("%s: cell %d names no guard and does not say why", p[1], i+1)
			}
		}
	}
}
