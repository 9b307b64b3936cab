package cli

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/weirstream/weir/internal/function"
	"github.com/weirstream/weir/internal/server"
)

func runtimesCommand(a *app) *cobra.Command {
	var dataDir string
	c := &cobra.Command{
		Use:   "runtimes",
		Short: "List the interpreters and SDKs that functions find",
		Long: `Runtimes lists the Python and Node interpreters and the Java virtual machines that
functions run with, and what they find without having it in their package: AWS SDKs,
and the client that runs functions in Java.`,
		Example: `  weir runtimes
  weir runtimes install python`,
		Args: exactArgs(),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.listRuntimes(c, dataDir)
		},
	}
	c.PersistentFlags().StringVar(&dataDir, "data-dir", defaultDataDir, "directory of the server")
	c.AddCommand(&cobra.Command{
		Use:   "install python|node|java",
		Short: "Install what functions in a language need to find",
		Long: `Install gets boto3 through pip, the AWS SDKs for JavaScript through npm, or the runtime
interface client for Java through Maven, and puts them into the data directory. Without
Maven the client is downloaded from the repository that WEIR_MAVEN_REPOSITORY or a
mirror in ~/.m2/settings.xml names, else from Maven Central.`,
		Example: `  weir runtimes install python
  weir runtimes install node --data-dir /var/lib/weir`,
		Args: exactArgs("python, node or java"),
		RunE: func(c *cobra.Command, args []string) error {
			if !slices.Contains([]string{"python", "node", "nodejs", "java"}, args[0]) {
				return usageError{fmt.Errorf("there is nothing to install for %q; the languages are python, node and java", args[0])}
			}
			err := function.NewRuntimes(filepath.Join(dataDir, server.RuntimesFolder)).Install(c.Context(), args[0], a.err)
			if c.Context().Err() != nil {
				return leftError("interrupted; run it again to have it complete")
			}
			return err
		},
	})
	return c
}

func (a *app) listRuntimes(c *cobra.Command, dataDir string) error {
	inv := function.NewRuntimes(filepath.Join(dataDir, server.RuntimesFolder)).List(c.Context())
	where := ""
	if dataDir != defaultDataDir {
		where = " --data-dir " + dataDir
	}
	if a.json {
		return a.printJSON(inv)
	}
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "INTERPRETER\tVERSION\tPATH")
	for _, i := range inv.Interpreters {
		fmt.Fprintf(w, "%s\t%s\t%s\n", i.Language, i.Version, i.Path)
	}
	fmt.Fprintln(w, "\nSDK\tVERSION\tPATH")
	for _, s := range inv.SDKs {
		place := s.Path
		if place == "" {
			place = "missing; get it with '" + s.Remedy + where + "'"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", s.Name, cmp.Or(s.Version, "-"), place)
	}
	return w.Flush()
}
