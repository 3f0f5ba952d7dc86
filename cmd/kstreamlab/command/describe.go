package command

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/kstreamlab/kstreamlab/streams/declare"
	"github.com/kstreamlab/kstreamlab/streams/diagram"
)

// describeFormats are what a topology can be written as.
var describeFormats = []string{"text", "dot", "mermaid", "svg", "json"}

func newStreamsDescribe() *cobra.Command {
	var format string
	c := &cobra.Command{
		Use:   "describe APP.yaml",
		Short: "Print or draw the topology of an application",
		Long: `Print or draw the topology of an application.

text is Kafka's Topology.describe(), to the character. svg is a picture for a browser, dot is for Graphviz, mermaid for a Markdown page,
json for programs: nodes, stores, internal topics, and the steps that made them.`,
		Example: `  kstreamlab streams describe app.yaml
  kstreamlab streams describe app.yaml --format svg > app.svg
  kstreamlab streams describe app.yaml --format json | jq '.subtopologies[].stores'`,
		Args: oneFile("an app file"),
		RunE: func(c *cobra.Command, args []string) error { return describeApp(c, args[0], format) },
	}
	c.Flags().StringVar(&format, "format", "text", "text, dot, mermaid, svg or json")
	complete(c, "format", describeFormats)
	return c
}

func describeApp(c *cobra.Command, name, format string) error {
	app, err := loadApp(name)
	if err != nil {
		return err
	}
	out := c.OutOrStdout()
	switch format {
	case "text":
		_, err = io.WriteString(out, app.Topology.Describe())
	case "dot":
		_, err = io.WriteString(out, diagram.DOT(app.Topology.Description()))
	case "mermaid":
		_, err = io.WriteString(out, diagram.Mermaid(app.Topology.Description()))
	case "svg":
		_, err = out.Write(diagram.SVG(app.Topology.Description()))
	case "json":
		err = writeJSON(out, app.Topology.Description())
	default:
		return unknownFormat(format, describeFormats)
	}
	return err
}

func newStreamsExplain() *cobra.Command {
	var format string
	c := &cobra.Command{
		Use:   "explain APP.yaml",
		Short: "Say what each step of an application has become: nodes, stores, changelogs and repartition topics",
		Example: `  kstreamlab streams explain app.yaml
  kstreamlab streams explain app.yaml --format json | jq '.[] | select(.repartition_topics)'`,
		Args: oneFile("an app file"),
		RunE: func(c *cobra.Command, args []string) error { return explainApp(c, args[0], format) },
	}
	c.Flags().StringVar(&format, "format", "text", "text or json")
	complete(c, "format", []string{"text", "json"})
	return c
}

func explainApp(c *cobra.Command, name, format string) error {
	app, err := loadApp(name)
	if err != nil {
		return err
	}
	switch format {
	case "text":
		for _, e := range app.Explain() {
			if _, err := io.WriteString(c.OutOrStdout(), e.String()); err != nil {
				return err
			}
		}
		return nil
	case "json":
		return writeJSON(c.OutOrStdout(), app.Explain())
	}
	return unknownFormat(format, []string{"text", "json"})
}

func newSchema() *cobra.Command {
	c := &cobra.Command{Use: "schema", Short: "JSON Schemas of the files that kstreamlab reads"}
	c.AddCommand(&cobra.Command{
		Use:   "app",
		Short: "Print the JSON Schema of app.yaml, by which editors complete and check it",
		Long: `Print the JSON Schema of app.yaml, by which editors complete and check it.

In an editor with the YAML language server, begin the file with
  # yaml-language-server: $schema=app.schema.json`,
		Example: "  kstreamlab schema app > app.schema.json",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			_, err := c.OutOrStdout().Write(declare.Schema())
			return err
		},
	})
	return c
}

// complete offers the values of a flag to the shell.
func complete(c *cobra.Command, flag string, values []string) {
	if err := c.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err) // no such flag
	}
}

func unknownFormat(format string, known []string) error {
	return fmt.Errorf("--format %s%s", format, declare.Suggest(format, known))
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
