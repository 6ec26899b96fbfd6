// SPDX-License-Identifier: Apache-2.0

// The alert rules and the board that ship with the project ask for metrics that exist, and the rules do what they say.

package storaged

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/rmr-block/rmr/internal/rmrnl"
	"github.com/rmr-block/rmr/internal/rmrnl/rmrnltest"
)

const packaging = "../../packaging"

var (
	descRE   = regexp.MustCompile(`fqName: "(\w+)"`)
	metricRE = regexp.MustCompile(`\brmr_[a-z0-9_]+`)
	recordRE = regexp.MustCompile(`\brmr:[a-z0-9_]+:[a-z0-9_]+`)
)

// described are the names of all metrics.
func described(t *testing.T) map[string]bool {
	t.Helper()
	ch, names := make(chan *prometheus.Desc, 1000), map[string]bool{}
	newCollector(newWorld(t, rmrnltest.State{}).daemon("")).Describe(ch)
	close(ch)
	for d := range ch {
		m := descRE.FindStringSubmatch(d.String())
		require.NotNil(t, m, d.String())
		names[m[1]] = true
	}
	require.Greater(t, len(names), 60)
	return names
}

// expressions are the queries of the board.
func expressions(t *testing.T, raw []byte) (list []string) {
	t.Helper()
	var board struct {
		Title      string `json:"title"`
		Templating struct {
			List []struct {
				Query string `json:"query"`
			} `json:"list"`
		} `json:"templating"`
		Panels []struct {
			ID      int    `json:"id"`
			Title   string `json:"title"`
			Targets []struct {
				Expr string `json:"expr"`
			} `json:"targets"`
		} `json:"panels"`
	}
	require.NoError(t, json.Unmarshal(raw, &board))
	require.NotEmpty(t, board.Title)
	ids := map[int]bool{}
	for _, p := range board.Panels {
		require.False(t, ids[p.ID], "two panels have id %d", p.ID)
		ids[p.ID] = true
		require.NotEmpty(t, p.Targets, p.Title)
		for _, target := range p.Targets {
			require.Regexp(t, `rmr[_:]`, target.Expr, p.Title)
			list = append(list, target.Expr)
		}
	}
	require.NotEmpty(t, list)
	return list
}

func TestRulesAndBoardAskForMetricsThatExist(t *testing.T) {
	names := described(t)
	rules, err := os.ReadFile(filepath.Join(packaging, "prometheus/rmr.rules.yaml"))
	require.NoError(t, err)
	board, err := os.ReadFile(filepath.Join(packaging, "grafana/rmr-pools.json"))
	require.NoError(t, err)
	recorded := map[string]bool{}
	for _, m := range regexp.MustCompile(`record: (\S+)`).FindAllSubmatch(rules, -1) {
		recorded[string(m[1])] = true
	}
	for _, text := range append(expressions(t, board), string(rules), string(board)) {
		for _, name := range metricRE.FindAllString(text, -1) {
			name = strings.TrimSuffix(name, "_bucket") // of a histogram
			require.True(t, names[name], "metric %s does not exist", name)
		}
		for _, name := range recordRE.FindAllString(text, -1) {
			require.True(t, recorded[name], "no rule records %s", name)
		}
	}
	// What operators of other systems had to add themselves has an alert.
	for _, name := range []string{
		"rmr_pool_degraded", "rmr_device_bytes_at_risk", "rmr_resync_state", "rmr_verify_age_seconds", "rmr_device_suspended",
		"rmr_leg_split_brain", "rmr_leg_latency_seconds", "rmr_device_latency_seconds", "rmr:leg_read_bytes_after_loss:rate5m", "rmr:node_read_bytes_after_loss:rate5m", "rmr_verify_different_blocks",
	} {
		require.Contains(t, string(rules), name)
		require.Contains(t, string(board), name)
	}
}

// promtool checks the rules and runs their tests.
func TestPromtoolAcceptsTheRules(t *testing.T) {
	tool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("PROMTOOL IS NOT INSTALLED (package prometheus): the alert rules are not checked")
	}
	for _, args := range [][]string{{"check", "rules", "rmr.rules.yaml"}, {"test", "rules", "rmr.rules.test.yaml"}} {
		cmd := exec.CommandContext(t.Context(), tool, args...)
		cmd.Dir = filepath.Join(packaging, "prometheus")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
		require.Contains(t, string(out), "SUCCESS")
	}
}

func TestBytesAtRisk(t *testing.T) {
	d, legs := riskyDevice()
	require.Zero(t, bytesAtRisk(d, legs), "two legs are up to date")
	legs[1].State = rmrnl.LegStateSyncing
	legs[1].Lacking = 3
	require.Equal(t, 3*uint64(d.ChunkSize), bytesAtRisk(d, legs))
	legs[1].State = rmrnl.LegStateFailed
	require.Equal(t, d.Size, bytesAtRisk(d, legs))
	legs[0].State = rmrnl.LegStateFailed
	require.Equal(t, d.Size, bytesAtRisk(d, legs), "nobody has it now")
}

// riskyDevice has two legs that are up to date, and one of another device that is not.
func riskyDevice() (rmrnl.Device, []rmrnl.Leg) {
	return rmrnl.Device{Index: 3, Size: 1 << 30, ChunkSize: 1 << 20}, []rmrnl.Leg{
		{DeviceIndex: 3, MemberID: 0, State: rmrnl.LegStateUpToDate},
		{DeviceIndex: 3, MemberID: 1, State: rmrnl.LegStateUpToDate},
		{DeviceIndex: 4, MemberID: 0, State: rmrnl.LegStateFailed},
	}
}
