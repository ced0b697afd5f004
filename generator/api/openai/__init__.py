"""What clients of OpenAI's image API speak: /v1/images/generations, /v1/images/edits, /v1/models (docs/api.md)."""
