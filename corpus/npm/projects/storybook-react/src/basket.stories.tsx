import type { Meta, StoryObj } from "@storybook/react-vite";
import { Basket } from "./basket";

const meta: Meta<typeof Basket> = { component: Basket, tags: ["autodocs"] };
export default meta;

export const Full: StoryObj<typeof Basket> = { args: { start: 3 } };
