// SPDX-License-Identifier: Apache-2.0

// Output of read verbs: tables with a choice of fields, JSON, and watching.

package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/docker/go-units"
	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// outputFormat is the value of --output.
type outputFormat string

const (
	formatText outputFormat = "text"
	formatJSON outputFormat = "json"
)

// String is what pflag prints as the default.
func (f *outputFormat) String() string { return string(*f) }

// Type is what pflag prints in the help.
func (f *outputFormat) Type() string { return "text|json" }

// Set takes a value from the command line.
func (f *outputFormat) Set(v string) error {
	if v != string(formatText) && v != string(formatJSON) {
		return errors.New("must be text or json")
	}
	*f = outputFormat(v)
	return nil
}

func (f *outputFormat) flag(fs *pflag.FlagSet) {
	*f = formatText
	fs.VarP(f, "output", "o", "output `format`: text or json")
}

// column is one field of a table of T. Basic ones are shown without being asked for.
type column[T any] struct {
	name   string
	basic  bool
	number bool // aligned right
	value  func(T) string
}

// showOptions are the options every read verb has.
type showOptions struct {
	output   outputFormat
	watch    bool
	interval time.Duration
	count    int
	fields   []string // "+name,name", "-name" or "name,name", in the order given
}

const fieldsAnnotation = "fields"

// showFlags adds the options and tells the argument rewriting which fields there are.
func showFlags[T any](cmd *cobra.Command, o *showOptions, cols []column[T]) {
	fs := cmd.Flags()
	o.output.flag(fs)
	fs.BoolVarP(&o.watch, "watch", "w", false, "show again and again until interrupted")
	fs.DurationVar(&o.interval, "interval", time.Second, "time between two rounds of --watch")
	fs.IntVar(&o.count, "count", 0, "end --watch after so many `rounds`, 0: never")
	fs.StringArrayVar(&o.fields, "fields", nil, "`fields` of the table: +name adds, -name removes, name,... chooses")
	names := make([]string, 0, len(cols))
	for _, c := range cols {
		names = append(names, c.name)
	}
	cmd.Annotations = map[string]string{fieldsAnnotation: strings.Join(names, ",")}
	cmd.Long += "\n\nFields of the table: " + strings.Join(names, ", ") +
		".\n+FIELD adds one, -FIELD removes one; --fields a,b chooses. JSON always has all."
}

// rewriteFields turns the arguments +field and -field of verbs that have fields into --fields,
// before flags are parsed: -size would be read as five flags.
func rewriteFields(root *cobra.Command, args []string) []string {
	cmd, _, err := root.Find(args)
	if err != nil || cmd.Annotations[fieldsAnnotation] == "" {
		return args
	}
	known := strings.Split(cmd.Annotations[fieldsAnnotation], ",")
	out := make([]string, 0, len(args))
	for i, arg := range args {
		if arg == "--" {
			return append(out, args[i:]...)
		}
		switch {
		case strings.HasPrefix(arg, "+"),
			strings.HasPrefix(arg, "-") && len(arg) > 2 && arg[1] != '-' && allIn(arg[1:], known):
			out = append(out, "--fields="+arg)
		default:
			out = append(out, arg)
		}
	}
	return out
}

func allIn(list string, known []string) bool {
	for name := range strings.SplitSeq(list, ",") {
		if !slices.Contains(known, name) {
			return false
		}
	}
	return true
}

// choose applies the selection to the columns.
func choose[T any](cols []column[T], selection []string) ([]column[T], error) {
	shown := map[string]bool{}
	for _, c := range cols {
		shown[c.name] = c.basic
	}
	for _, s := range selection {
		list := strings.TrimLeft(s, "+-")
		if !strings.HasPrefix(s, "+") && !strings.HasPrefix(s, "-") {
			clear(shown)
		}
		for name := range strings.SplitSeq(list, ",") {
			if !slices.ContainsFunc(cols, func(c column[T]) bool { return c.name == name }) {
				return nil, &usageError{fmt.Sprintf("no field %q", name)}
			}
			shown[name] = !strings.HasPrefix(s, "-")
		}
	}
	chosen := slices.DeleteFunc(slices.Clone(cols), func(c column[T]) bool { return !shown[c.name] })
	if len(chosen) == 0 {
		return nil, &usageError{"no fields left to show"}
	}
	return chosen, nil
}

// usageError is a mistake in the command line found after parsing.
type usageError struct{ text string }

func (u *usageError) Error() string { return u.text }

func writeTable[T any](w io.Writer, cols []column[T], rows []T) {
	t := table.NewWriter()
	t.SetOutputMirror(w)
	style := table.StyleDefault
	style.Options = table.OptionsNoBordersAndSeparators
	style.Box.PaddingLeft, style.Box.PaddingRight = "", "  "
	style.Format.Header = text.FormatUpper
	t.SetStyle(style)
	t.SuppressTrailingSpaces()
	header := table.Row{}
	configs := []table.ColumnConfig{}
	for i, c := range cols {
		header = append(header, c.name)
		if c.number {
			configs = append(configs, table.ColumnConfig{Number: i + 1, Align: text.AlignRight, AlignHeader: text.AlignRight})
		}
	}
	t.AppendHeader(header)
	t.SetColumnConfigs(configs)
	for _, r := range rows {
		row := table.Row{}
		for _, c := range cols {
			v := c.value(r)
			if v == "" {
				v = "-"
			}
			row = append(row, v)
		}
		t.AppendRow(row)
	}
	t.Render()
}

func (a *app) printJSON(v any) error {
	enc := json.NewEncoder(a.Stdout)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// show fetches rows and prints them, once or as a watch; the exit code tells of degraded rows.
func show[T any](ctx context.Context, a *app, o *showOptions, cols []column[T], degraded func(T) bool,
	fetch func(ctx context.Context) ([]T, error),
) error {
	chosen, err := choose(cols, o.fields)
	if err != nil {
		return err
	}
	for round := 1; ; round++ {
		rows, err := fetch(ctx)
		if err != nil {
			return watchEnd(ctx, err)
		}
		var buf bytes.Buffer
		if o.output == formatJSON {
			saved := a.Stdout
			a.Stdout = &buf
			err = a.printJSON(notNil(rows))
			a.Stdout = saved
		} else {
			writeTable(&buf, chosen, rows)
		}
		if err != nil {
			return err
		}
		if err := a.round(o, round, buf.Bytes()); err != nil {
			return err
		}
		if !o.watch || round == o.count {
			if slices.ContainsFunc(rows, degraded) {
				return quietExit(ExitDegraded)
			}
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(o.interval):
		}
	}
}

// round prints one round of output; a watch on a terminal starts at the top of the screen.
func (a *app) round(o *showOptions, round int, out []byte) error {
	if o.watch && a.Terminal && o.output == formatText {
		fmt.Fprint(a.Stdout, "\x1b[H\x1b[2J")
	} else if round > 1 && o.output == formatText {
		fmt.Fprintln(a.Stdout)
	}
	_, err := a.Stdout.Write(out)
	return err
}

// watchEnd makes an interrupt a good end of a watch.
func watchEnd(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// size prints bytes for people, exact where a short form is.
func size(n uint64) string { return units.BytesSize(float64(n)) }

// parseSize reads "10G", "512MiB" or bytes; G and GiB are both 2^30.
func parseSize(s string) (uint64, error) {
	n, err := units.RAMInBytes(s)
	if err != nil || n <= 0 {
		return 0, fmt.Errorf("size %q: want bytes or a number with K, M, G or T", s)
	}
	return uint64(n), nil
}
