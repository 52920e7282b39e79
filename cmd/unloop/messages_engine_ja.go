package main

// messagesEngineJA is what people read of the SOFTWARE hive and of a hibernation, in
// Japanese.
var messagesEngineJA = map[string]string{
	"flag.discard": "休止状態の Windows を拒否せず、開いたままの作業を捨てて修復",

	"autoupdate": "%s: AUOptions %s",
	"neverlooks": "%s: Windows Update は「更新プログラムを確認しない」設定です（AUOptions 1）。updates の修復より厳しいため、そのままにします",
	"overruled":  "%s: 設定よりポリシーが優先されます（AUOptions %s、NoAutoUpdate %s）。ポリシーは変更しません",
	"nologsoft":  "%s: SOFTWARE.LOG1 は使いません（%s）。書き込みの順序だけでハイブの整合を保ちます",
	"unstamped":  "%s: ボリュームの状態を記録できないため（%v）、取り消しても休止状態は戻りません",

	"price.updates":          "updates の代償: 更新プログラムが自動ではインストールされなくなります。手動で 1 つずつ確認してください。",
	"price.hibernation":      "休止状態を破棄した代償: 休止中の Windows で開いていたものは失われ、通常の起動になります。",
	"stick.priceupdates":     "代償:    更新プログラムが自動ではインストールされなくなります。手動で確認してください。",
	"stick.pricehibernation": "代償:    休止中の Windows で開いていたものは失われ、通常の起動になります。",

	"sleep.discards":  "%s: Windows が休止状態です。先に休止状態を破棄します。開いていたものは失われます",
	"sleep.discarded": "%s: 休止状態を破棄しました",
	"sleep.wakes":     "%s: その後ボリュームに書き込みはありません。最後に休止状態を戻します",
	"sleep.restored":  "%s: 休止状態を戻しました",
	"sleep.stays":     "%s: 休止状態は破棄したままです: %s",
	"acc.slept":       "%s",

	"awake.mounted":    "ボリュームがマウントされており、その後の書き込みの有無を確かめられません",
	"awake.inexact":    "ハイブが修復時のままではありません。その後に何かが動いており、今 Windows を休止から再開するとボリュームが壊れます",
	"awake.changed":    "その後ボリュームに書き込みがあり（ジャーナルまたは MFT が異なります）、今 Windows を休止から再開すると壊れます",
	"awake.file":       "%s が元と完全には一致しません",
	"awake.unstamped":  "ボリュームの状態が記録されていません",
	"awake.unreadable": "ボリュームを読めません: %v",
	"awake.nofile":     "hiberfil.sys を変更できません: %v",
	"awake.notwritten": "書き込みに失敗しました: %v",

	"error.notdiscarded":     "%s: 休止状態を破棄できませんでした。ハイブは変更していません",
	"hint.notdiscarded":      "ディスクを調べ、unloop をもう一度実行してください。それまで Windows は休止から再開することも、通常起動することもあります",
	"error.sleepfile":        "%s: hiberfil.sys をその場で変更できません",
	"hint.sleepfile":         "何も書いていません。その Windows を起動してシャットダウンしてください",
	"error.nosoftware":       "%s: SOFTWARE ハイブがありません",
	"hint.nosoftware":        "updates の修復は SYSTEM と同じフォルダーの SOFTWARE を変更します。--fix から updates を外してください。何も書いていません",
	"error.notsoftware":      "%s: Windows の SOFTWARE ハイブではありません",
	"hint.notsoftware":       "--fix から updates を外すか、両方のハイブがある Windows\\System32\\config フォルダーを指定してください。何も書いていません",
	"error.noautoupdate":     "%s: Windows Update の設定キーがありません",
	"hint.noautoupdate":      "unloop はキーを作りません。--fix から updates を外してください。何も書いていません",
	"stickhint.sleepfile":    "何も書いていません。その Windows が起動するなら、起動してシャットダウンしてください",
	"stickhint.nosoftware":   "unloop.toml の fix から updates を外してください。何も書いていません",
	"stickhint.notsoftware":  "unloop.toml の fix から updates を外してください。何も書いていません",
	"stickhint.noautoupdate": "unloop.toml の fix から updates を外してください。何も書いていません",
	"stickhint.hibernated":   "その Windows を起動してシャットダウンしてください。または unloop.toml の discard_hibernation = true で、開いたままの作業を捨てます（mode = \"ask\" のときだけ）",
	"stickhint.notdiscarded": "ディスクを調べ、Enter でもう一度調べてください。ハイブは変更していません",
}
