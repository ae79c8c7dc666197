// A file of the build; its address, relative to the script.
declare module "*.wasm" {
  const address: string;
  export default address;
}
