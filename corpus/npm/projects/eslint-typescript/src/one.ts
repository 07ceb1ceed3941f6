import { missing } from "./nowhere.js";
const unused: any = missing;
async function wait(): Promise<void> {}
wait();
export const sum = (a: number, b: number): number => a+b
