package command

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/kstreamlab/kstreamlab/broker/property"
	"github.com/kstreamlab/kstreamlab/streams"
)

func newConfig() *cobra.Command {
	var docs, asJSON bool
	var check string
	c := &cobra.Command{
		Use:   "config",
		Short: "Explain the properties of applications and clients, or check a file of them",
		Long: `Explain the properties of applications and clients, or check a file of them.

Client properties may begin with consumer., main.consumer., restore.consumer., global.consumer., producer. or admin.: then they are for
that kind of client, and win over the same without a prefix.

Exit code 0: all is well. 1: a property of the file cannot be. 2: a wrong flag or file.`,
		Example: `  kstreamlab config --docs
  kstreamlab config --docs --json
  kstreamlab config --check streams.properties`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			switch {
			case check != "" && !docs:
				return checkProperties(c.OutOrStdout(), check)
			case docs && check == "" && asJSON:
				return writeDocsJSON(c.OutOrStdout())
			case docs && check == "":
				return writeDocs(c.OutOrStdout())
			}
			return errors.New("give --docs or --check FILE")
		},
	}
	c.Flags().BoolVar(&docs, "docs", false, "print every property with type, default, bounds and meaning")
	c.Flags().BoolVar(&asJSON, "json", false, "with --docs: as JSON")
	c.Flags().StringVar(&check, "check", "", "a .properties file: report all that cannot be, and what is not known")
	return c
}

func writeDocs(w io.Writer) error {
	fmt.Fprintf(w, "Applications (Kafka Streams)\n\n%s\nClients\n\n", streams.PropertyDocs())
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "NAME\tTYPE\tDEFAULT\tALLOWED\tCLIENTS\tMEANING")
	for _, p := range property.All() {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", p.Name, p.Type, orDash(p.Default), orDash(p.Bounds()), strings.Join(p.Clients, ","), p.Doc)
	}
	return t.Flush()
}

func orDash(s string) string {
	if s = strings.Trim(s, " |"); s == "" {
		return "-"
	}
	return s
}

func writeDocsJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(map[string]any{"streams": streams.Properties(), "clients": property.All()})
}

// checkProperties checks a file as an application would.
func checkProperties(w io.Writer, name string) error {
	props := map[string]string{}
	if err := readProperties(name, props); err != nil {
		return err
	}
	cfg, err := streams.ParseConfig(props)
	for _, unknown := range cfg.Unknown {
		fmt.Fprintf(w, "%s: %s is not known: it is ignored\n", name, unknown)
	}
	unknown, _ := property.Check(props)
	for _, n := range unknown {
		if prefix, _ := property.Split(n); prefix != "" {
			fmt.Fprintf(w, "%s: %s is not known: it is ignored\n", name, n)
		}
	}
	for _, n := range inertOf(props) {
		fmt.Fprintf(w, "%s: %s\n", name, n)
	}
	if err != nil {
		for _, line := range strings.Split(err.Error(), "\n") {
			fmt.Fprintf(w, "%s: %s\n", name, line)
		}
		return &failedError{}
	}
	_, err = fmt.Fprintf(w, "%s: %d properties, all of them possible\n", name, len(props))
	return err
}

// inertOf names the properties that have no effect, and why, in order.
func inertOf(props map[string]string) (out []string) {
	for _, n := range slices.Sorted(maps.Keys(props)) {
		_, rest := property.Split(n)
		if p, ok := property.Lookup(rest); ok && p.Inert != "" {
			out = append(out, n+" has no effect: "+p.Inert)
		}
	}
	return out
}
