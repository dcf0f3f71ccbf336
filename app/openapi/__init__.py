"""Documents made of declarations and contracts: OpenAPI, AsyncAPI, TypeScript, tables."""
