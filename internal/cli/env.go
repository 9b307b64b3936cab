package cli

import (
	"fmt"

	"github.com/spf13/cobra"
)

func envCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "env",
		Short: "Print the exports that point SDKs and the AWS CLI at Weir",
		Example: `  eval "$(weir env)"
  aws kinesis list-streams`,
		Args: exactArgs(),
		RunE: func(*cobra.Command, []string) error {
			vars := []struct{ name, value string }{
				{"AWS_ENDPOINT_URL", a.endpoint},
				{"AWS_REGION", "us-east-1"},
				{"AWS_DEFAULT_REGION", "us-east-1"},
				{"AWS_ACCESS_KEY_ID", "weir"},
				{"AWS_SECRET_ACCESS_KEY", "weir"},
				{endpointEnv, a.endpoint},
			}
			if a.json {
				all := map[string]string{}
				for _, v := range vars {
					all[v.name] = v.value
				}
				return a.printJSON(all)
			}
			for _, v := range vars {
				if _, err := fmt.Fprintf(a.out, "export %s=%s\n", v.name, v.value); err != nil {
					return err
				}
			}
			return nil
		},
	}
}
