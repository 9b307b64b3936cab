package template

import "slices"

var (
	deletionPolicies = []string{"Delete", "Retain", "RetainExceptOnCreate", "Snapshot"}
	replacePolicies  = []string{"Delete", "Retain", "Snapshot"}
)

func (s *structure) resource(e Entry) {
	if e.Value.Kind != KindMap {
		s.problems.Add(e.Line, e.Key, "Template format error: Any Resources member must be an object.")
		return
	}
	kind := e.Value.Get("Type")
	if kind == nil || kind.Kind != KindString || kind.Text == "" {
		s.problems.Add(e.Line, e.Key, "Template format error: [/Resources/%s] Every Resources object must contain a Type member.", e.Key)
		return
	}
	r := &Resource{LogicalID: e.Key, Type: kind.Text, Line: e.Line, Attributes: map[string]*Node{}}
	for _, member := range e.Value.Entries {
		s.resourceMember(r, member)
	}
	s.t.Resources = append(s.t.Resources, r)
}

func (s *structure) resourceMember(r *Resource, member Entry) {
	switch member.Key {
	case "Type":
	case "Properties":
		if member.Value.Kind != KindMap {
			s.problems.Add(member.Line, r.LogicalID, "Template format error: [/Resources/%s/Properties] Properties must be an object.", r.LogicalID)
			return
		}
		r.Properties = member.Value
	case "DependsOn":
		s.dependsOn(r, member)
	case "Condition":
		r.Condition = s.text(r.LogicalID, member)
	case "Metadata":
		r.Metadata = member.Value
	case "DeletionPolicy":
		r.DeletionPolicy = s.policy(r, member, deletionPolicies)
	case "UpdateReplacePolicy":
		r.UpdateReplacePolicy = s.policy(r, member, replacePolicies)
	case "CreationPolicy", "UpdatePolicy", "Connectors", "IgnoreGlobals":
		r.Attributes[member.Key] = member.Value
	default:
		s.problems.Add(member.Line, r.LogicalID, "Invalid template resource property '%s'", member.Key)
	}
}

func (s *structure) dependsOn(r *Resource, member Entry) {
	names := []*Node{member.Value}
	if member.Value.Kind == KindList {
		names = member.Value.Items
	}
	for _, name := range names {
		if name.Kind != KindString {
			s.problems.Add(name.Line, r.LogicalID, "Template format error: DependsOn must be a string or list of strings.")
			continue
		}
		r.DependsOn = append(r.DependsOn, Name{Text: name.Text, Line: name.Line})
	}
}

func (s *structure) policy(r *Resource, member Entry, allowed []string) string {
	if slices.Contains(allowed, member.Value.Text) && member.Value.Kind == KindString {
		return member.Value.Text
	}
	s.problems.Add(member.Line, r.LogicalID, "Template format error: Unrecognized %s %s for resource %s",
		member.Key, member.Value.Canonical(), r.LogicalID)
	return ""
}
