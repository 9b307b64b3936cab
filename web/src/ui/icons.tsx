import type { ComponentChildren } from "preact";

// Icons are drawn on a 16 by 16 grid with the colour of the text beside them.
const shapes = {
  overview: <path d="M2.5 2.500h4.500v5h-4.500zM9 2.500h4.500v3h-4.500zM9 7.500h4.500v6h-4.500zM2.500 9.500h4.500v4h-4.500z" />,
  dashboards: <path d="M2 13.500h12M2.500 10.500l3.500-4 2.500 2.500 4.500-5.500" />,
  streams: <path d="M1.500 4.500c2.200-1.800 4.300-1.800 6.500 0s4.300 1.800 6.500 0M1.500 8c2.200-1.800 4.300-1.800 6.500 0s4.300 1.800 6.500 0M1.500 11.500c2.200-1.800 4.300-1.800 6.500 0s4.300 1.800 6.500 0" />,
  functions: <path d="M3.500 2.500h2.200l5.300 11h2M7.300 6l-4 7.500" />,
  mappings: <path d="M1.500 5h4v6h-4zM10.500 5h4v6h-4zM5.500 8h5M8.500 6l2 2-2 2" />,
  tables: <path d="M2 3h12v10h-12zM2 6.300h12M2 9.700h12M6.300 6.300v6.700" />,
  alarms: <path d="M4 11.500v-4.500a4 4 0 0 1 8 0v4.500l1 1h-10zM6.700 14.500h2.600" />,
  mail: <path d="M2 3.500h12v9h-12zM2.300 4l5.700 4.700 5.700-4.700" />,
  stacks: <path d="M8 2l6 3-6 3-6-3zM2.300 8.200l5.700 2.800 5.700-2.800M2.300 11.200l5.700 2.800 5.700-2.800" />,
  sun: <path d="M8 5.200a2.800 2.800 0 1 0 0 5.600 2.800 2.800 0 0 0 0-5.600zM8 1.500v1.200M8 13.300v1.200M1.500 8h1.200M13.300 8h1.200M3.400 3.400l.9.9M11.700 11.700l.9.9M12.600 3.400l-.9.9M4.300 11.700l-.9.9" />,
  moon: <path d="M13.300 9.700a5.700 5.700 0 1 1-7-7 4.600 4.600 0 0 0 7 7z" />,
  auto: <path d="M2 3h12v8h-12zM5.500 13.500h5M8 11v2.500" />,
  menu: <path d="M2 4h12M2 8h12M2 12h12" />,
  close: <path d="M3.500 3.500l9 9M12.500 3.500l-9 9" />,
  copy: <path d="M5.500 5.500h8v8h-8zM10.500 5.500v-3h-8v8h3" />,
  check: <path d="M3 8.500l3.200 3.200 6.800-7.200" />,
  arrow: <path d="M2.500 8h11M9.500 4l4 4-4 4" />,
  back: <path d="M9.500 3.500l-4.500 4.500 4.500 4.500" />,
  next: <path d="M6.500 3.500l4.500 4.500-4.500 4.500" />,
  down: <path d="M3.500 6l4.500 4.500 4.500-4.500" />,
  warning: <path d="M8 2.200l6.300 11.300h-12.600zM8 6.300v3.500M8 11.600v.3" />,
  unknown: <path d="M8 2a6 6 0 1 0 0 12 6 6 0 0 0 0-12zM5.500 8h5" />,
  ok: <path d="M8 2a6 6 0 1 0 0 12 6 6 0 0 0 0-12zM5.400 8.200l1.900 1.900 3.400-3.900" />,
  search: <path d="M7 2.500a4.500 4.500 0 1 0 0 9 4.500 4.500 0 0 0 0-9zM10.300 10.300l3.200 3.200" />,
  external: <path d="M6.500 3h-4v10.500h10.500v-4M9.500 2.500h4v4M13.300 2.700l-6 6" />,
} satisfies Record<string, ComponentChildren>;

export type IconName = keyof typeof shapes;

export function Icon(props: { name: IconName; size?: number }) {
  const size = props.size ?? 16;
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 16 16" aria-hidden="true" fill="none" stroke="currentColor"
      stroke-width="1.4" stroke-linecap="round" stroke-linejoin="round">
      {shapes[props.name]}
    </svg>
  );
}

// Mark is Weir's own: a wall with a notch, and the water behind it.
export function Mark() {
  return (
    <svg class="mark" width="26" height="26" viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="7" fill="var(--mark)" />
      <g fill="none" stroke="#fff" stroke-linecap="round" stroke-linejoin="round">
        <path stroke-width="2.6" d="M5.500 9.500h6l4.500 8 4.500-8h6" />
        <path stroke-width="2.200" stroke-opacity=".75" d="M5.500 23.500c1.750-1.400 3.500-1.400 5.250 0s3.500 1.400 5.250 0 3.500-1.400 5.250 0 3.500 1.400 5.250 0" />
      </g>
    </svg>
  );
}
