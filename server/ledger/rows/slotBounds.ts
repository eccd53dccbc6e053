import type { TimeRange } from '../../api/receipt.ts';

/** Width of a slot of a roll-up. Every time zone's midnight is a multiple of a quarter of an hour. */
export const slotMs = 900_000;
export const dayMs = 86_400_000;

/** A range as the slots that lie wholly inside it, and the two ends that fill none. */
export interface Bounds {
  [name: string]: number;
  from: number; to: number; rolledUp: number; firstSlot: number; endSlot: number; firstDay: number; endDay: number;
  headTo: number; tailFrom: number; headSlotEnd: number; tailSlot: number;
}

/** @param rolledUp the last attempt that a roll-up has taken in, by its seq */
export function boundsOf(range: TimeRange, rolledUp: number): Bounds {
  const from = Math.ceil(range.from);
  const to = Math.max(from, Math.ceil(range.to));
  const [firstSlot, endSlot] = wholeSlots(from, to, slotMs);
  const [firstDay, endDay] = wholeSlots(from, to, dayMs);
  const slotsADay = dayMs / slotMs;
  const headTo = Math.min(to, firstSlot * slotMs);
  const days = endDay > firstDay;
  return {
    from, to, rolledUp, firstSlot, endSlot, firstDay, endDay, headTo,
    tailFrom: Math.max(headTo, endSlot * slotMs),
    headSlotEnd: days ? firstDay * slotsADay : endSlot,
    tailSlot: days ? endDay * slotsADay : endSlot,
  };
}

/** The slots that lie wholly inside a range: first, and the one after the last. */
function wholeSlots(from: number, to: number, width: number): [number, number] {
  const first = Math.ceil(from / width);
  return [first, Math.max(first, Math.floor(to / width))];
}
