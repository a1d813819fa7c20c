/** Places the labels of points in a chart, so that none covers another label or a point. */

/** A point in pixels, from the left and the top. */
export interface LabelPoint {
  x: number
  y: number
  text: string
}

/** Where the label's text begins, where a line to it ends, and whether it needs one. */
export interface Label extends LabelPoint {
  labelX: number
  labelY: number
  lineX: number
  isFar: boolean
  /** True if it stands left of its point: its text then ends at `endX`, however wide the letters are. */
  isLeft: boolean
  endX: number
}

/** A part of a chart, in pixels. */
export interface Box {
  left: number
  right: number
  top: number
  bottom: number
}

/** Size of the labels' letters, in pixels. */
export const LABEL_SIZE = 11
const LINE = 14
const RADIUS = 6

/** Estimates the width of a text in a proportional font. Without a canvas vega's own estimate is far too wide. */
export function estimateWidth(fontSize: number, text: string): number {
  return 0.55 * fontSize * text.length
}

/** Places each label beside its point; if there is no room, at the nearest free height. @param obstacles what no label may cover */
export function placeLabels(points: LabelPoint[], width: number, obstacles: Box[] = []): Label[] {
  const circles = points.map(({ x, y }) => boxAround(x - RADIUS, y, 2 * RADIUS, 2 * RADIUS))
  const taken = [...obstacles, ...circles]
  const sorted = [...points].sort((a, b) => a.y - b.y || a.x - b.x)
  const placed = new Map(
    sorted.map((point) => {
      const textWidth = estimateWidth(LABEL_SIZE, point.text)
      const { x, y } = findPlace(point, textWidth, { width, taken })
      taken.push(boxAround(x, y, textWidth, LINE))
      const lineX = Math.min(Math.max(point.x, x), x + textWidth)
      const endX = x + textWidth
      const [isFar, isLeft] = [Math.abs(y - point.y) > LINE / 2, endX <= point.x]
      return [point, { ...point, labelX: x, labelY: y, lineX, isFar, isLeft, endX }]
    }),
  )
  return points.map((point) => placed.get(point) as Label)
}

const MOST_STEPS = 40

function findPlace(
  { x, y }: LabelPoint,
  textWidth: number,
  { width, taken }: { width: number; taken: Box[] },
): { x: number; y: number } {
  const sides = [x + RADIUS + 2, x - RADIUS - 2 - textWidth].filter(
    (left) => left >= 0 && left + textWidth <= width,
  )
  const starts = sides.length > 0 ? sides : [Math.max(0, width - textWidth)]
  for (let step = 0; step < MOST_STEPS; step++) {
    const shift = Math.ceil(step / 2) * 4 * (step % 2 === 0 ? 1 : -1)
    for (const left of starts) {
      const box = boxAround(left, y + shift, textWidth, LINE)
      if (!taken.some((other) => isOver(box, other))) return { x: left, y: y + shift }
    }
  }
  return { x: starts[0] as number, y }
}

function boxAround(left: number, middle: number, width: number, height: number): Box {
  return { left, right: left + width, top: middle - height / 2, bottom: middle + height / 2 }
}

function isOver(a: Box, b: Box): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom
}
