// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"maps"
	"slices"
)

func sortedKeys(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }
