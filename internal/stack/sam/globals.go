package sam

import (
	"slices"

	"github.com/weirstream/weir/internal/stack/template"
)

// globalSections lists what Globals may hold. Sections whose list is nil are known
// on AWS and of no use here, as their resources are not implemented.
var globalSections = map[string][]string{
	"Function": {"Handler", "Runtime", "CodeUri", "DeadLetterQueue", "Description", "MemorySize", "Timeout", "VpcConfig",
		"Environment", "Tags", "PropagateTags", "Tracing", "KmsKeyArn", "AutoPublishAlias", "AutoPublishAliasAllProperties",
		"Layers", "DeploymentPreference", "RolePath", "PermissionsBoundary", "ReservedConcurrentExecutions",
		"ProvisionedConcurrencyConfig", "AssumeRolePolicyDocument", "EventInvokeConfig", "FileSystemConfigs",
		"CodeSigningConfigArn", "Architectures", "SnapStart", "EphemeralStorage", "FunctionUrlConfig",
		"RuntimeManagementConfig", "LoggingConfig", "RecursiveLoop", "SourceKMSKeyArn", "TenancyConfig",
		"DurableConfig", "CapacityProviderConfig", "FunctionScalingConfig", "PublishToLatestPublished", "VersionDeletionPolicy"},
	"SimpleTable":      {"SSESpecification"},
	"Api":              nil,
	"HttpApi":          nil,
	"StateMachine":     nil,
	"LayerVersion":     nil,
	"CapacityProvider": nil,
	"WebSocketApi":     nil,
}

func (x *expansion) readGlobals() {
	x.globals = map[string]*template.Node{}
	globals := x.in.Globals
	if globals == nil {
		return
	}
	if globals.Kind != template.KindMap {
		x.problems.Add(globals.Line, "", "'Globals' section is invalid. It must be a non-empty dictionary")
		return
	}
	for _, section := range globals.Entries {
		allowed, known := globalSections[section.Key]
		if !known {
			x.problems.Add(section.Line, "", "'Globals' section is invalid. '%s' is not supported. Must be one of the following values - "+
				"['Api', 'CapacityProvider', 'Function', 'HttpApi', 'LayerVersion', 'SimpleTable', 'StateMachine', 'WebSocketApi']", section.Key)
			continue
		}
		if section.Value.Kind != template.KindMap {
			x.problems.Add(section.Line, "", "'Globals' section is invalid. Value of ${%s} must be a dictionary", section.Key)
			continue
		}
		supported := template.Map(section.Line)
		for _, e := range section.Value.Entries {
			if allowed == nil || slices.Contains(allowed, e.Key) {
				supported.Entries = append(supported.Entries, e)
				continue
			}
			x.problems.Add(e.Line, "", "'Globals' section is invalid. '%s' is not a supported property of '%s'. Must be one of the following values - %s",
				e.Key, section.Key, quoteList(allowed))
		}
		x.globals[section.Key] = supported
	}
}

// withGlobals merges a section of Globals into the properties of a resource, but
// for what the resource ignores.
func (x *expansion) withGlobals(section string, r *template.Resource, properties *template.Node) *template.Node {
	globals := x.globals[section]
	ignored := r.Attributes["IgnoreGlobals"]
	if globals == nil || ignored != nil && ignored.Text == "*" {
		return properties
	}
	if ignored != nil {
		x.checkIgnored(r, globals, ignored)
		kept := template.Map(globals.Line)
		for _, e := range globals.Entries {
			if !slices.ContainsFunc(ignored.Items, func(n *template.Node) bool { return n.Text == e.Key }) {
				kept.Entries = append(kept.Entries, e)
			}
		}
		globals = kept
	}
	return merge(globals, properties)
}

// merge combines a global value with a local one: maps member by member, lists one
// after the other; otherwise the local value wins.
func merge(global, local *template.Node) *template.Node {
	switch {
	case local == nil:
		return global
	case global == nil || global.Kind != local.Kind || isCall(global) || isCall(local):
		return local
	case local.Kind == template.KindList:
		return template.List(local.Line, append(slices.Clone(global.Items), local.Items...)...)
	case local.Kind == template.KindMap:
		out := template.Map(local.Line)
		out.Entries = slices.Clone(global.Entries)
		for _, e := range local.Entries {
			i := slices.IndexFunc(out.Entries, func(g template.Entry) bool { return g.Key == e.Key })
			if i < 0 {
				out.Entries = append(out.Entries, e)
				continue
			}
			out.Entries[i] = template.Entry{Key: e.Key, Line: e.Line, Value: merge(out.Entries[i].Value, e.Value)}
		}
		return out
	default:
		return local
	}
}

// isCall reports whether a node is an intrinsic function.
func isCall(n *template.Node) bool {
	if n == nil || n.Kind != template.KindMap || len(n.Entries) != 1 {
		return false
	}
	key := n.Entries[0].Key
	return key == "Ref" || len(key) > 4 && key[:4] == "Fn::"
}
