// Command weir runs streaming-analytics applications on one machine.
package main

import (
	"os"

	"github.com/weirstream/weir/internal/cli"
)

func main() { os.Exit(cli.Main(os.Args[1:], os.Stdout, os.Stderr)) }
