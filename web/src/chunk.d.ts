// Parts of the page that are files of their own, loaded when they are needed: vite.config.js.
declare module "*?chunk" {
  export function load(): Promise<unknown>;
}

declare module "*.css?inline" {
  const rules: string;
  export default rules;
}
