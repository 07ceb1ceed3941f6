import { IsInt } from "class-validator";

export class Basket {
  @IsInt()
  apples: number;
}
