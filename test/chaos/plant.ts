/** Planting faults into statements: a plant that no longer finds its place must not pass for a planted fault. */

/** Replaces the one place. @throws when it is not there. */
export function plant(text: string, place: string, fault: string): string {
  if (!text.includes(place)) throw new Error(`the fault cannot be planted: there is no '${place}' in\n${text}`);
  return text.replace(place, fault);
}
