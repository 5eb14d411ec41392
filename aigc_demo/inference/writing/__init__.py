"""From a prompt to its text, beside those of others: continuous batching with a KV cache a slot.

    TextWriter.begin(prompt, ...)          checks everything, encodes the prompt
        |  Generation: its tokens, its Sampler, its rule of verse (text.py, sampler.py, ../verse.py)
        v
    Engine.join(text) -> Loop.join(text)   a thread that writes many texts of a model (loop.py)
        |  1. admit   a waiting text gets a free slot
        |  2. prefill its prompt but the last token goes into the slot's KV cache (steps.prefill)
        |  3. decode  one step for all slots: a text's last token -> its next logits (steps.decode)
        |  4. draw    one token a text, by one array operation for all (sampler.draw)
        v            back to 1; a text joins and leaves between two steps
    Generation.pieces(), .so_far             what the page streams

`steps_for` (steps.py) chooses who computes 2 and 3: on a CPU ONNX Runtime runs a graph built from
our weights (graph.py, onnx_steps.py), on CUDA one recorded graph replays (captured_steps.py),
elsewhere the model itself reads text after text (model_steps.py).

A text's tokens depend on its prompt, settings and seed alone. A row of a step is computed alike
whoever else is in it: on a CPU the products are sums of integers, exact in any order and by any
number of threads, and what else mixes the numbers of a row looks at that row alone. The random
number of a token depends on the text's seed and the token's index alone.
"""
