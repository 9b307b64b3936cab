package metric

// Problem is something wrong in a dashboard body, at a JSON pointer.
type Problem struct{ Path, Message string }
