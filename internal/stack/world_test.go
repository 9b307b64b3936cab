package stack

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/weirstream/weir/internal/catalog"
	"github.com/weirstream/weir/internal/stack/resource"
)

// world is what the providers of the tests make. It keeps what exists, logs every
// call, and fails or hangs where it is told to.
type world struct {
	mu      sync.Mutex
	exists  map[string]string // "stream web" -> settings
	calls   []string
	fail    map[string]bool // "CreateTable orders" or "CreateTable"
	hang    string          // the call that hangs, after its effect
	hanging chan struct{}
	made    int
}

func newWorld() *world {
	return &world{exists: map[string]string{}, fail: map[string]bool{}, hanging: make(chan struct{}, 1)}
}

func (w *world) providers() resource.Providers {
	return resource.Providers{Streams: streams{w}, Tables: tables{w}, Functions: functions{w}, Mappings: mappings{w}, Topics: topics{w}, Buckets: buckets{w},
		Alarms: alarms{w}, Dashboards: dashboards{w}, LogGroups: logGroups{w}, Permissions: permissions{w},
		Exists: func(_ context.Context, kind, name string) (bool, error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			noun := map[string]string{"AWS::Kinesis::Stream": "stream", "AWS::DynamoDB::Table": "table", "AWS::DynamoDB::GlobalTable": "table", "AWS::SNS::Topic": "topic",
				"AWS::Lambda::Function": "function", "AWS::CloudWatch::Alarm": "alarm"}[kind]
			_, ok := w.exists[noun+" "+name]
			return ok, nil
		}}
}

var errBroken = errors.New("broken")

// call logs a call and says how it goes; effect happens unless the call fails.
func (w *world) call(ctx context.Context, name, subject, detail string, effect func() error) error {
	w.mu.Lock()
	w.calls = append(w.calls, strings.TrimSpace(name+" "+subject+" "+detail))
	var err error
	if w.fail[name] || w.fail[name+" "+subject] {
		err = fmt.Errorf("%s is %w", subject, errBroken)
	} else {
		err = effect()
	}
	hang := w.hang == name
	w.mu.Unlock()
	if !hang {
		return err
	}
	w.hanging <- struct{}{}
	<-ctx.Done()
	return ctx.Err()
}

func (w *world) create(ctx context.Context, name, noun, subject, detail string) error {
	return w.call(ctx, name, subject, detail, func() error {
		if _, ok := w.exists[noun+" "+subject]; ok {
			return fmt.Errorf("%s %s %w", noun, subject, resource.ErrAlreadyExists)
		}
		w.exists[noun+" "+subject] = detail
		return nil
	})
}

func (w *world) update(ctx context.Context, name, noun, subject, detail string) error {
	return w.call(ctx, name, subject, detail, func() error {
		if _, ok := w.exists[noun+" "+subject]; !ok {
			return fmt.Errorf("%s %s %w", noun, subject, resource.ErrNotFound)
		}
		w.exists[noun+" "+subject] = detail
		return nil
	})
}

func (w *world) remove(ctx context.Context, name, noun, subject string) error {
	return w.call(ctx, name, subject, "", func() error {
		if _, ok := w.exists[noun+" "+subject]; !ok {
			return fmt.Errorf("%s %s %w", noun, subject, resource.ErrNotFound)
		}
		delete(w.exists, noun+" "+subject)
		return nil
	})
}

// find returns what exists with a detail.
func (w *world) find(noun, detail string) (string, bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(w.exists)) {
		if rest, ok := strings.CutPrefix(name, noun+" "); ok && strings.HasPrefix(w.exists[name], detail) {
			return rest, true, nil
		}
	}
	return "", false, nil
}

// fresh is an identifier that the world chooses.
func (w *world) fresh(prefix string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.made++
	return fmt.Sprintf("%s%d", prefix, w.made)
}

func arn(service, rest string) string { return catalog.DefaultIdentity.ARN(service, rest) }

func number(v *int) string {
	if v == nil {
		return "-"
	}
	return fmt.Sprint(*v)
}

type streams struct{ *world }

func (w streams) CreateStream(ctx context.Context, s resource.StreamSpec) (string, error) {
	return arn("kinesis", "stream/"+s.Name), w.create(ctx, "CreateStream", "stream", s.Name, describeStream(s))
}

func (w streams) UpdateStream(ctx context.Context, s resource.StreamSpec) error {
	return w.update(ctx, "UpdateStream", "stream", s.Name, describeStream(s))
}

func describeStream(s resource.StreamSpec) string {
	text := fmt.Sprintf("shards=%d hours=%d", s.Shards, s.RetentionHours)
	if s.Mode != "" {
		text += " mode=" + s.Mode
	}
	if s.MaxRecordKiB != 0 || s.ShardMetrics != nil {
		text += fmt.Sprintf(" record=%d metrics=%v", s.MaxRecordKiB, s.ShardMetrics)
	}
	if s.EncryptionKey != "" {
		text += " key=" + s.EncryptionKey
	}
	return text
}

func (w streams) DeleteStream(ctx context.Context, name string) error {
	return w.remove(ctx, "DeleteStream", "stream", name)
}

func (w streams) RegisterConsumer(ctx context.Context, s resource.ConsumerSpec) (resource.ConsumerMade, error) {
	made := resource.ConsumerMade{ARN: s.StreamARN + "/consumer/" + s.Name + ":1", Created: "1"}
	return made, w.create(ctx, "RegisterConsumer", "consumer", made.ARN, describeTags(s.Tags))
}

func (w streams) TagConsumer(ctx context.Context, arn string, tags map[string]string) (resource.ConsumerMade, error) {
	return resource.ConsumerMade{ARN: arn, Created: "1"}, w.update(ctx, "TagConsumer", "consumer", arn, describeTags(tags))
}

func (w streams) DeregisterConsumer(ctx context.Context, arn string) error {
	return w.remove(ctx, "DeregisterConsumer", "consumer", arn)
}

func (w streams) FindConsumer(_ context.Context, s resource.ConsumerSpec) (string, bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	arn := s.StreamARN + "/consumer/" + s.Name + ":1"
	_, ok := w.exists["consumer "+arn]
	return arn, ok, nil
}

// describeTags leaves out the tags that every resource of a stack gets.
func describeTags(tags map[string]string) string {
	tags = maps.Clone(tags)
	maps.DeleteFunc(tags, func(key, _ string) bool { return strings.HasPrefix(key, "aws:") })
	return fmt.Sprintf("tags=%v", tags)
}

type tables struct{ *world }

func (w tables) made(s resource.TableSpec) resource.TableMade {
	made := resource.TableMade{ARN: arn("dynamodb", "table/"+s.Name)}
	if s.StreamView != "" {
		made.StreamARN = made.ARN + "/stream/" + strings.ToLower(s.StreamView)
	}
	return made
}

func (w tables) CreateTable(ctx context.Context, s resource.TableSpec) (resource.TableMade, error) {
	return w.made(s), w.create(ctx, "CreateTable", "table", s.Name, fmt.Sprintf("keys=%v stream=%s", s.Keys, s.StreamView))
}

func (w tables) UpdateTable(ctx context.Context, s resource.TableSpec) (resource.TableMade, error) {
	return w.made(s), w.update(ctx, "UpdateTable", "table", s.Name, fmt.Sprintf("keys=%v stream=%s", s.Keys, s.StreamView))
}

func (w tables) DeleteTable(ctx context.Context, name string) error {
	return w.remove(ctx, "DeleteTable", "table", name)
}

type functions struct{ *world }

func describeFunction(s resource.FunctionSpec) string {
	text := fmt.Sprintf("%s %s role=%s timeout=%d env=%v zip=%d", s.Runtime, s.Handler, s.Role, s.TimeoutSeconds, s.Environment, len(s.Zip))
	if s.DeadLetterARN != "" {
		text += " dead=" + s.DeadLetterARN
	}
	if s.ReservedConcurrency != nil {
		text += " reserved=" + number(s.ReservedConcurrency)
	}
	return text
}

func (w functions) CreateFunction(ctx context.Context, s resource.FunctionSpec) (string, error) {
	return arn("lambda", "function:"+s.Name), w.create(ctx, "CreateFunction", "function", s.Name, describeFunction(s))
}

func (w functions) UpdateFunction(ctx context.Context, s resource.FunctionSpec) error {
	return w.update(ctx, "UpdateFunction", "function", s.Name, describeFunction(s))
}

func (w functions) DeleteFunction(ctx context.Context, name string) error {
	return w.remove(ctx, "DeleteFunction", "function", name)
}

func (w functions) PutEventInvokeConfig(ctx context.Context, s resource.EventInvokeSpec) error {
	detail := fmt.Sprintf("retries=%s age=%s success=%s failure=%s", number(s.RetryAttempts), number(s.EventAgeSeconds), s.OnSuccess, s.OnFailure)
	return w.call(ctx, "PutEventInvokeConfig", s.Function+":"+s.Qualifier, detail, func() error {
		w.exists["eventinvoke "+s.Function+":"+s.Qualifier] = detail
		return nil
	})
}

func (w functions) DeleteEventInvokeConfig(ctx context.Context, function, qualifier string) error {
	return w.remove(ctx, "DeleteEventInvokeConfig", "eventinvoke", function+":"+qualifier)
}

func (w functions) PublishVersion(ctx context.Context, s resource.VersionSpec) (resource.VersionMade, error) {
	number := w.fresh("")
	made := resource.VersionMade{ARN: arn("lambda", "function:"+s.Function+":"+number), Version: number}
	return made, w.create(ctx, "PublishVersion", "version", made.ARN, "")
}

func (w functions) DeleteVersion(ctx context.Context, arn string) error {
	return w.remove(ctx, "DeleteVersion", "version", arn)
}

func (w functions) CreateAlias(ctx context.Context, s resource.AliasSpec) (string, error) {
	return arn("lambda", "function:"+s.Function+":"+s.Name), w.create(ctx, "CreateAlias", "alias", s.Function+":"+s.Name, describeAlias(s))
}

func (w functions) UpdateAlias(ctx context.Context, s resource.AliasSpec) error {
	return w.update(ctx, "UpdateAlias", "alias", s.Function+":"+s.Name, describeAlias(s))
}

func (w functions) DeleteAlias(ctx context.Context, function, name string) error {
	return w.remove(ctx, "DeleteAlias", "alias", function+":"+name)
}

func describeAlias(s resource.AliasSpec) string { return fmt.Sprintf("-> %s %v", s.Version, s.Weights) }

type mappings struct{ *world }

func describeMapping(s resource.MappingSpec) string {
	return fmt.Sprintf("%s -> %s from=%s batch=%s", s.SourceARN, s.Function, s.StartingPosition, number(s.BatchSize))
}

func (w mappings) CreateMapping(ctx context.Context, s resource.MappingSpec) (resource.MappingMade, error) {
	uuid := w.fresh("mapping-")
	return resource.MappingMade{UUID: uuid, ARN: arn("lambda", "event-source-mapping:"+uuid)},
		w.create(ctx, "CreateMapping", "mapping", uuid, describeMapping(s))
}

func (w mappings) UpdateMapping(ctx context.Context, uuid string, s resource.MappingSpec) error {
	return w.update(ctx, "UpdateMapping", "mapping", uuid, describeMapping(s))
}

func (w mappings) DeleteMapping(ctx context.Context, uuid string) error {
	return w.remove(ctx, "DeleteMapping", "mapping", uuid)
}

func (w mappings) FindMapping(_ context.Context, sourceARN, function string) (string, bool, error) {
	return w.find("mapping", sourceARN+" -> "+function+" ")
}

type topics struct{ *world }

func (w topics) CreateTopic(ctx context.Context, s resource.TopicSpec) (string, error) {
	return arn("sns", s.Name), w.create(ctx, "CreateTopic", "topic", s.Name, s.DisplayName)
}

func (w topics) UpdateTopic(ctx context.Context, _ string, s resource.TopicSpec) error {
	return w.update(ctx, "UpdateTopic", "topic", s.Name, s.DisplayName)
}

func (w topics) DeleteTopic(ctx context.Context, topicARN string) error {
	err := w.remove(ctx, "DeleteTopic", "topic", strings.TrimPrefix(topicARN, arn("sns", "")))
	for id, ok, _ := w.find("subscription", topicARN+" "); ok && err == nil; id, ok, _ = w.find("subscription", topicARN+" ") {
		delete(w.exists, "subscription "+id)
	}
	return err
}

func describeSubscription(s resource.SubscriptionSpec) string {
	described := fmt.Sprintf("%s %s %s", s.TopicARN, s.Protocol, s.Endpoint)
	if s.FilterPolicy != "" {
		described += " wants " + s.FilterPolicy
	}
	return described
}

func (w topics) Subscribe(ctx context.Context, s resource.SubscriptionSpec) (string, error) {
	id := w.fresh("subscription-")
	return id, w.create(ctx, "Subscribe", "subscription", id, describeSubscription(s))
}

func (w topics) UpdateSubscription(ctx context.Context, id string, s resource.SubscriptionSpec) error {
	return w.update(ctx, "UpdateSubscription", "subscription", id, describeSubscription(s))
}

func (w topics) SetTopicPolicy(ctx context.Context, arn, policy string) error {
	return w.call(ctx, "SetTopicPolicy", arn, policy, func() error { return nil })
}

func (w topics) Unsubscribe(ctx context.Context, id string) error {
	return w.remove(ctx, "Unsubscribe", "subscription", id)
}

func (w topics) FindSubscription(_ context.Context, s resource.SubscriptionSpec) (string, bool, error) {
	return w.find("subscription", describeSubscription(s))
}

type alarms struct{ *world }

func (w alarms) PutAlarm(ctx context.Context, s resource.AlarmSpec) (string, error) {
	return arn("cloudwatch", "alarm:"+s.Name), w.call(ctx, "PutAlarm", s.Name, fmt.Sprintf("%s %s %v actions=%v", s.MetricName, s.ComparisonOperator, s.Threshold, s.AlarmActions), func() error {
		w.exists["alarm "+s.Name] = fmt.Sprint(s.Threshold)
		return nil
	})
}

func (w alarms) DeleteAlarm(ctx context.Context, name string) error {
	return w.remove(ctx, "DeleteAlarm", "alarm", name)
}

type dashboards struct{ *world }

func (w dashboards) PutDashboard(ctx context.Context, name, body string) error {
	detail := fmt.Sprintf("%d bytes", len(body))
	return w.call(ctx, "PutDashboard", name, detail, func() error {
		w.exists["dashboard "+name] = detail
		return nil
	})
}

func (w dashboards) DeleteDashboard(ctx context.Context, name string) error {
	return w.remove(ctx, "DeleteDashboard", "dashboard", name)
}

type logGroups struct{ *world }

func (w logGroups) CreateLogGroup(ctx context.Context, s resource.LogGroupSpec) error {
	return w.create(ctx, "CreateLogGroup", "log group", s.Name, fmt.Sprintf("days=%d", s.RetentionDays))
}

func (w logGroups) UpdateLogGroup(ctx context.Context, s resource.LogGroupSpec) error {
	return w.update(ctx, "UpdateLogGroup", "log group", s.Name, fmt.Sprintf("days=%d", s.RetentionDays))
}

func (w logGroups) DeleteLogGroup(ctx context.Context, name string) error {
	return w.remove(ctx, "DeleteLogGroup", "log group", name)
}

type permissions struct{ *world }

func (w permissions) AddPermission(ctx context.Context, s resource.PermissionSpec) error {
	return w.create(ctx, "AddPermission", "permission", s.StatementID, s.Function+" "+s.Principal)
}

func (w permissions) RemovePermission(ctx context.Context, _, statementID string) error {
	return w.remove(ctx, "RemovePermission", "permission", statementID)
}
