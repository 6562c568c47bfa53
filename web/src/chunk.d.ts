// Parts of the page that are separate files, loaded when they are needed: vite.config.js.
declare module "*?chunk" {
  export function load(): Promise<unknown>;
}

declare module "*.css?inline" {
  const rules: string;
  export default rules;
}
