// What the browser remembers for the user; a browser that refuses forgets.

export function remembered(name: string): string {
  try {
    return localStorage.getItem("weir." + name) ?? "";
  } catch {
    return "";
  }
}

export function remember(name: string, value: string): void {
  try {
    if (value === "") localStorage.removeItem("weir." + name);
    else localStorage.setItem("weir." + name, value);
  } catch {
    // Forgotten on the next visit.
  }
}
