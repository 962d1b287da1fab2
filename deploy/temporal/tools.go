//go:build tools

// Package tools pins the Temporal server that Proviso runs: the CLI with its dev server for one machine, and the real
// server with its schema tool for PostgreSQL. Nothing imports it; it keeps the three commands in go.mod and go.sum.
package tools

import (
	_ "github.com/temporalio/cli/cmd/temporal"
	_ "go.temporal.io/server/cmd/server"
	_ "go.temporal.io/server/cmd/tools/sql"
)
