/** The scripts, each the least that its shell needs: all knowledge is in the command. */

// https://www.gnu.org/software/bash/manual/html_node/Programmable-Completion.html; bash 3.2 has no compopt.
const bash = `# lakeward, completion for bash: eval "$(lakeward completion bash)"
_lakeward() {
  local IFS=$'\\n' word="\${COMP_WORDS[COMP_CWORD]}" line
  COMPREPLY=()
  while read -r line; do
    if [[ $line == ":files" ]]; then
      compopt -o filenames 2>/dev/null
      COMPREPLY+=($(compgen -f -- "$word"))
    else
      COMPREPLY+=("$line")
    fi
  done < <("\${COMP_WORDS[0]}" complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _lakeward lakeward`

// https://zsh.sourceforge.io/Doc/Release/Completion-System.html
const zsh = `#compdef lakeward
# lakeward, completion for zsh: lakeward completion zsh > "\${fpath[1]}/_lakeward"
_lakeward() {
  local -a found
  found=("\${(@f)$("\${words[1]}" complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if (( \${found[(Ie):files]} )); then
    _files
  fi
  found=("\${(@)found:#:files}")
  found=("\${(@)found:#}")
  (( \${#found} )) && compadd -a found
}
if [[ "\${funcstack[1]}" == "_lakeward" ]]; then
  _lakeward "$@"
else
  compdef _lakeward lakeward
fi`

export const scripts = { bash, zsh } as const
