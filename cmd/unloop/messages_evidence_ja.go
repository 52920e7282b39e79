package main

// messagesEvidenceJA is what an account of an installation says, in Japanese.
var messagesEvidenceJA = map[string]string{
	"acc.line":         "%s",
	"lookalikes":       "この PC の再起動や停止の、ほかに考えられる原因: %d 件。unloop scan で表示します",
	"stick.lookalikes": "この PC の再起動や停止の、ほかに考えられる原因: %d 件。D で表示します。",

	"head.windows":    "この Windows",
	"head.for":        "この不具合と考える根拠",
	"head.against":    "この不具合ではないと考える根拠",
	"head.context":    "参考",
	"head.lookalikes": "この PC の再起動や停止の、ほかに考えられる原因（unloop で直るとは限りません）",
	"head.updates":    "そのほかの 2018 年 3 月以降の更新プログラム",
	"head.autoupdate": "Windows Update",
	"head.registry":   "修復で変わる値",
	"head.safety":     "安全に書き込めるか",

	"win.product":    "%s、ビルド %s、%s、PC 名 %s",
	"win.cpu":        "CPU %s",
	"win.pae":        "PAE %s、NX %s（レジストリとブート構成による）",
	"win.on":         "有効",
	"win.off":        "無効",
	"win.kernels":    "カーネル: %s",
	"win.lastboot":   "最後の起動（推定）: %s（bootstat.dat）",
	"win.lastupdate": "最後の更新: %s",

	"update.line": "%s: %s、%s",
	"update.more": "ほかに、より古いもの %d 個",

	"au.setting":   "設定: AUOptions %d、%s",
	"au.policy":    "ポリシー（設定より優先）: AUOptions %d、%s",
	"au.off":       "ポリシー: NoAutoUpdate %d、自動更新は無効",
	"au.noteoff":   "ポリシー: NoAutoUpdate %d、自動更新は無効になっていない",
	"au.never":     "更新プログラムを確認しない",
	"au.ask":       "確認はするが、ダウンロードとインストールは利用者が選ぶ",
	"au.download":  "ダウンロードし、インストールの前に確認する",
	"au.automatic": "自動でダウンロードしてインストールする",
	"au.local":     "PC の管理者が選ぶ",
	"au.other":     "意味の分からない値",

	"safe.awake":           "Windows は休止状態ではありません",
	"safe.hiberempty":      "hiberfil.sys: %s。Windows は休止状態ではありません",
	"safe.sleeping":        "hiberfil.sys: %s。Windows は休止状態です",
	"safe.woken":           "hiberfil.sys: %s（復帰したときの残り）。Windows は休止状態ではありません",
	"safe.hiberother":      "hiberfil.sys: %s。分かる限り、Windows は休止状態ではありません",
	"safe.hiberunreadable": "hiberfil.sys: %s。休止状態でないとは言い切れません",
	"safe.journalclean":    "ボリュームのジャーナルは使用中ではありません",
	"safe.journal":         "ボリュームのジャーナルが使用中です（リセット後の状態）。Windows が処理するので unloop は触りません",
	"safe.dirtyflag":       "ボリュームのダーティフラグが立っています。Windows が chkdsk で検査します",
	"safe.clean":           "ハイブは正しく閉じられています",
	"safe.nofilter":        "フィルターの一覧にドライバーの名前はありません",
	"safe.nothing":         "調べた限り、修復を妨げるものはありません",
}
