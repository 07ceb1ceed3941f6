import { z } from "zod";

const Basket = z.object({ apples: z.number().int() });

export function count(text: string): number {
  return Basket.parse(JSON.parse(text)).apples;
}

export const shown = (text: string): string => `<b>${count(text)}</b>`;
