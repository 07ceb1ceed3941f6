import { mount } from "svelte";
import Basket from "./Basket.svelte";

export default mount(Basket, { target: document.getElementById("app")!, props: { start: 3 } });
