import { range } from "lodash-es";

export default () => console.log(range(3));
