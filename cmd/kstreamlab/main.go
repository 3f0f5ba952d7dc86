// Command kstreamlab runs scenarios, applications and connectors. See kstreamlab help.
package main

import "github.com/kstreamlab/kstreamlab/cmd/kstreamlab/command"

func main() { command.Main(command.Options{}) }
