"""The offline drafter: a lexicon, a small grammar and the skills' recipes. No model, no network, no chance."""
