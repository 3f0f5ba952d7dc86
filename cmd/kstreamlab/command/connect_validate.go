package command

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/connectors/file"
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/connect/worker"
	"github.com/kstreamlab/kstreamlab/internal/host"
)

func newConnectValidate(o Options) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "validate WORKER.properties CONNECTOR...",
		Short: "Check connectors' configurations and tell everything that is wrong",
		Long: `Check connectors' configurations and tell everything that is wrong, without reaching a cluster.

The files are those of kstreamlab connect standalone. Exit code 0: nothing is wrong. 1: something is. 2: a wrong flag or file.`,
		Example: `  kstreamlab connect validate worker.properties sink.json
  kstreamlab connect validate --json worker.properties sink.json`,
		Args:              cobra.MinimumNArgs(2),
		ValidArgsFunction: connectFiles,
		RunE: func(c *cobra.Command, args []string) error {
			plugins := o.plugins(file.Standard{Out: os.Stdout})
			files, err := readConnect(host.NewMachine(), plugins, args[0], args[1:])
			if err != nil {
				return err
			}
			show := printValidation
			if asJSON {
				show = printJSON
			}
			return validateConnectors(context.Background(), c.OutOrStdout(), plugins, files, show)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print what Kafka's REST interface answers, one object a connector")
	return c
}

// validateConnectors checks all connectors and shows what was found of each.
func validateConnectors(ctx context.Context, out io.Writer, plugins *connect.Plugins, files *connectConfig,
	show func(out io.Writer, file string, v *worker.Validation, unknown error) error) error {
	wrong := false
	for _, c := range files.connectors {
		props, err := files.providers.Resolve(ctx, c.props)
		if err != nil {
			return &failedError{fmt.Errorf("%s: %w", c.file, err)}
		}
		v, err := worker.Validate(plugins, files.worker, props)
		if v == nil {
			return fmt.Errorf("%s: %w", c.file, err)
		}
		wrong = wrong || err != nil || v.Errors > 0
		if err := show(out, c.file, v, withClasses(plugins, err)); err != nil {
			return err
		}
	}
	if wrong {
		return &failedError{}
	}
	return nil
}

// withClasses adds what a connector's class can be to an error that says that there is none.
func withClasses(p *connect.Plugins, err error) error {
	if err == nil {
		return nil
	}
	var names []string
	for _, k := range []connect.Kind{connect.KindSource, connect.KindSink} {
		for _, x := range p.All(k) {
			names = append(names, x.Class)
		}
	}
	m, _ := data.MessageOfError(err)
	return fmt.Errorf("%s. There are %s", strings.TrimSuffix(m, "."), strings.Join(names, ", "))
}

// printJSON prints what is wrong with a connector's class at the property too: Kafka's REST interface answers with the message alone.
func printJSON(out io.Writer, _ string, v *worker.Validation, unknown error) error {
	if unknown != nil {
		v.Errors++
		for _, p := range v.Properties {
			if p.Value.Name == "connector.class" {
				p.Value.AddError(unknown.Error())
			}
		}
	}
	return json.NewEncoder(out).Encode(validationJSON(v))
}

func printValidation(out io.Writer, name string, v *worker.Validation, unknown error) error {
	if unknown == nil && v.Errors == 0 {
		_, err := fmt.Fprintf(out, "%s: nothing is wrong\n", name)
		return err
	}
	return printFaults(out, name, v, unknown)
}

func printFaults(out io.Writer, name string, v *worker.Validation, unknown error) error {
	if unknown != nil {
		fmt.Fprintf(out, "%s: connector.class: %s\n", name, unknown)
	}
	for _, p := range v.Properties {
		for _, e := range p.Value.Errors {
			fmt.Fprintf(out, "%s: %s: %s\n", name, p.Value.Name, e)
		}
	}
	return nil
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
