"""GPT-2 checkpoints as others publish them: their tensors, read strictly, and their tokenizers."""
