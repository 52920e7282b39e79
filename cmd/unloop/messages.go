package main

import "maps"

// message returns a message of the catalogue. A key without a message, which a
// test rules out, shows itself.
func message(lang, key string) string {
	if m, ok := catalogue(lang)[key]; ok {
		return m
	}
	return key
}

func catalogue(lang string) map[string]string {
	if lang == "ja" {
		return messagesJA
	}
	return messagesEN
}

// joined makes one catalogue of several.
func joined(parts ...map[string]string) map[string]string {
	all := map[string]string{}
	for _, part := range parts {
		maps.Copy(all, part)
	}
	return all
}
