package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/kstreamlab/kstreamlab/connect/builtin"
	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/connectors/file"
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/connect/worker"
	"github.com/kstreamlab/kstreamlab/internal/host"
)

func newConnectValidate() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "validate WORKER.properties CONNECTOR...",
		Short: "Check connectors' configurations and tell everything that is wrong",
		Long: `Check connectors' configurations and tell everything that is wrong, without reaching a cluster.

The files are those of kstreamlab connect standalone. Exit code 0: nothing is wrong. 1: something is. 2: a wrong flag or file.`,
		Example: `  kstreamlab connect validate worker.properties sink.json
  kstreamlab connect validate --json worker.properties sink.json`,
		Args: cobra.MinimumNArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			return validateConnectors(c.OutOrStdout(), args[0], args[1:], asJSON)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print what Kafka's REST interface answers, one object a connector")
	return c
}

func validateConnectors(out io.Writer, workerFile string, connectorFiles []string, asJSON bool) error {
	files, err := readConnect(host.NewMachine(), workerFile, connectorFiles)
	if err != nil {
		return err
	}
	plugins := builtin.Plugins(file.Standard{Out: os.Stdout})
	cfg, err := worker.ParseConfig(plugins, files.worker)
	if err != nil {
		return fmt.Errorf("%s: %w", workerFile, err)
	}
	wrong := false
	for i, props := range files.connectors {
		v, err := worker.Validate(plugins, cfg, props)
		if v == nil {
			return fmt.Errorf("%s: %w", connectorFiles[i], err)
		}
		wrong = wrong || err != nil || v.Errors > 0
		if asJSON {
			if err := json.NewEncoder(out).Encode(validationJSON(v)); err != nil {
				return err
			}
			continue
		}
		printValidation(out, connectorFiles[i], v, err)
	}
	if wrong {
		return &failedError{}
	}
	return nil
}

func printValidation(out io.Writer, name string, v *worker.Validation, unknown error) {
	if unknown != nil {
		m, _ := data.MessageOfError(unknown)
		fmt.Fprintf(out, "%s: connector.class: %s\n", name, m)
	}
	for _, p := range v.Properties {
		for _, e := range p.Value.Errors {
			fmt.Fprintf(out, "%s: %s: %s\n", name, p.Value.Name, e)
		}
	}
	if unknown == nil && v.Errors == 0 {
		fmt.Fprintf(out, "%s: nothing is wrong\n", name)
	}
}

// validationJSON is Kafka's ConfigInfos.
func validationJSON(v *worker.Validation) map[string]any {
	configs := []any{}
	for _, p := range v.Properties {
		configs = append(configs, map[string]any{"definition": definitionJSON(p.Key), "value": map[string]any{
			"name": p.Value.Name, "value": textJSON(p.Value.Value), "recommended_values": textsJSON(p.Value.Recommended),
			"errors": orEmpty(p.Value.Errors), "visible": p.Value.Visible}})
	}
	return map[string]any{"name": v.Name, "error_count": v.Errors, "groups": orEmpty(v.Groups), "configs": configs}
}

func definitionJSON(k *config.Key) any {
	if k == nil {
		return nil
	}
	var group any
	if k.Group != "" {
		group = k.Group
	}
	return map[string]any{"name": k.Name, "type": k.Type.String(), "required": k.Required, "default_value": textJSON(k.Default),
		"importance": k.Importance.String(), "documentation": k.Doc, "group": group, "order_in_group": k.Order, "width": k.Width.String(),
		"display_name": k.DisplayName, "dependents": orEmpty(k.Dependents)}
}

func textJSON(v any) any {
	s, ok := config.TextOf(v)
	if !ok {
		return nil
	}
	return s
}

func textsJSON(all []any) []any {
	out := []any{}
	for _, v := range all {
		out = append(out, textJSON(v))
	}
	return out
}

func orEmpty(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}
