package main

// messagesPolicyJA are the same in Japanese.
var messagesPolicyJA = map[string]string{
	"acc.journalnew": "ジャーナルはバージョン %s です。Windows 8 以降がこのディスクを使っています",
	"acc.sameserial": "ボリューム %s と同じシリアル番号です。一方が他方のコピーか、ミラーの両側です",
	"sameserial":     "%s: シリアル番号 %s のボリュームはすでに見つかっています（%s）。一方が他方のコピーか、ミラーの両側です",

	"policy.state":   "状態",
	"policy.scan":    "`scan` の表示",
	"policy.repair":  "`repair` の動作",
	"policy.does":    "unloop の動作",
	"policy.code":    "コード",
	"policy.windows": "どの Windows か、この不具合か：",
	"policy.volume":  "ディスクとボリューム：",
	"policy.hive":    "ハイブ：",
	"policy.run":     "実行そのもの（`repair`、`undo`、`diff`）：",
	"policy.undo":    "`undo`：",
	"policy.stick":   "USB メモリから起動した PC：",
	"policy.write":   "`stick write` と、`stick build` のイメージファイル：",

	"policy.affected.state": "ドライバーのどちらかと 2018 年 3 月以降の更新プログラムがある 32 ビット版 Windows 7 SP1",
	"policy.affected.scan":  "該当（根拠も表示）",
	"policy.affected.does":  "修復する",

	"policy.probable.state": "同上だがドライバーがない、または更新プログラムの有無が分からない",
	"policy.probable.scan":  "可能性あり（根拠も表示）",
	"policy.probable.does":  "修復する",

	"policy.repaired.state": "同上で、修復済み",
	"policy.repaired.scan":  "修復済み",
	"policy.repaired.does":  "することがない",

	"policy.notaffected.state": "ほかの Windows、64 ビット版、または 6.1.7601.24059 より古いカーネル",
	"policy.notaffected.scan":  "該当しない（理由も表示）",
	"policy.notaffected.does":  "拒否する。`--force` を付ければ修復する",

	"policy.beside.state": "同上で、修復する Windows の隣に見つかっただけのもの",
	"policy.beside.scan":  "該当しない（理由も表示）",
	"policy.beside.does":  "飛ばす",

	"policy.unknown.state": "どの Windows のものか、ハイブからもほかからも分からない",
	"policy.unknown.scan":  "不明",
	"policy.unknown.does":  "指定されたものは、その旨を表示して修復する",

	"policy.amd.state": "AMD の CPU など、Microsoft が緩和策は不要としている CPU",
	"policy.amd.scan":  "原因かどうか疑わしい旨",
	"policy.amd.does":  "修復する",

	"policy.lookalike.state": "PAE が無効、SSE2 のない CPU、更新処理の途中、クラッシュダンプ、起動対象なのにファイルがないドライバー",
	"policy.lookalike.scan":  "同じ症状の原因になりうるものとして、それぞれ示す",
	"policy.lookalike.does":  "修復する。これらが直るとは約束しない",

	"policy.nowindows.state": "指定されたところに Windows がない",
	"policy.nowindows.scan":  "エラー",
	"policy.nowindows.does":  "拒否する",

	"policy.windowsold.state": "`Windows.old` しかない",
	"policy.windowsold.scan":  "エラー（インストールとはみなさない）",
	"policy.windowsold.does":  "拒否する",

	"policy.journal.state": "`$LogFile` が使用中（リセットのあとは必ずこうなる）",
	"policy.journal.scan":  "ジャーナルが使用中である旨",
	"policy.journal.does":  "その場で修復する。ジャーナルのバイトはそのまま残り、Windows が処理する",

	"policy.journal2.state": "`$LogFile` がバージョン 2.0（Windows 8 以降がこのディスクを使った）",
	"policy.journal2.scan":  "ジャーナルのバージョンと、何が書いたか",
	"policy.journal2.does":  "同じくその場で修復する",

	"policy.dirtyflag.state": "`$Volume` のダーティフラグ",
	"policy.dirtyflag.scan":  "JSON の `dirty`。これだけでは何の証拠にもならない",
	"policy.dirtyflag.does":  "修復する。Windows はどのみちボリュームを検査する",

	"policy.hibernated.state": "休止状態（`hiberfil.sys` に `hibr`）",
	"policy.hibernated.scan":  "修復は拒否される旨とその理由",
	"policy.hibernated.does":  "拒否する。`--discard-hibernation` を付ければ、休止中の内容を捨てて修復する",

	"policy.woken.state": "再開済み、または未使用の `hiberfil.sys`（`wake`、`rstr`、ゼロなど、`hibr` 以外）",
	"policy.woken.scan":  "`hiberfil.sys` の状態",
	"policy.woken.does":  "修復する",

	"policy.hiberunreadable.state": "`hiberfil.sys` が読めず、休止状態でないとは言い切れない",
	"policy.hiberunreadable.scan":  "修復は拒否される旨とその理由",
	"policy.hiberunreadable.does":  "拒否する",

	"policy.bitlocker.state": "BitLocker で暗号化されている",
	"policy.bitlocker.scan":  "エラー",
	"policy.bitlocker.does":  "拒否する",

	"policy.raid.state": "RAID のメンバー（Intel、DDF、NVIDIA、LSI、Promise、AMD、Linux の目印で判断）",
	"policy.raid.scan":  "修復は拒否される旨とその理由",
	"policy.raid.does":  "拒否する。ミラーの片方に書くと食い違う",

	"policy.dynamic.state": "ダイナミックディスク",
	"policy.dynamic.scan":  "修復は拒否される旨とその理由",
	"policy.dynamic.does":  "拒否する",

	"policy.serial.state": "同じ NTFS シリアル番号のボリュームが 2 つ（コピー、または目印のないミラーの両側）",
	"policy.serial.scan":  "どの 2 つか",
	"policy.serial.does":  "警告して修復する（複製で用意された PC は多い）",

	"policy.sectorsize.state": "論理セクターが 512 バイトでない",
	"policy.sectorsize.scan":  "修復は拒否される旨とその理由",
	"policy.sectorsize.does":  "拒否する。Windows 7 はそのようなディスクから起動しない",

	"policy.mounted.state": "読み書き可能でマウントされている",
	"policy.mounted.scan":  "修復は拒否される旨とその理由、マウント先",
	"policy.mounted.does":  "拒否する。代わりにマウント先のフォルダーを指定できる",

	"policy.busy.state": "ほかのプログラムが使用中",
	"policy.busy.scan":  "何も表示しない",
	"policy.busy.does":  "拒否する",

	"policy.owned.state": "このマシンが動いているディスク（指定されずに見つかったもの）",
	"policy.owned.scan":  "飛ばす旨",
	"policy.owned.does":  "飛ばす",

	"policy.readonly.state": "ファイルや媒体が読み取り専用",
	"policy.readonly.scan":  "修復は拒否される旨とその理由",
	"policy.readonly.does":  "失敗で終わる。予行（dry run）はその旨を表示して続ける",

	"policy.damaged.state": "損傷、途中で切れている、必要な場所で読み取りエラー",
	"policy.damaged.scan":  "エラー、または修復は拒否される旨とその理由",
	"policy.damaged.does":  "拒否する",

	"policy.empty.state": "0 バイトのファイルや媒体",
	"policy.empty.scan":  "エラー",
	"policy.empty.does":  "拒否する",

	"policy.unsupported.state": "ファイルでもフォルダーでもディスクでもない",
	"policy.unsupported.scan":  "エラー",
	"policy.unsupported.does":  "拒否する",

	"policy.replayed.state": "ダーティで、対応するログがある",
	"policy.replayed.scan":  "ダーティである旨、どのログか、その変更内容",
	"policy.replayed.does":  "まずログを反映し、それから修復する",

	"policy.nolog.state": "ダーティで、対応するログがない、または 2 つのログが食い違う",
	"policy.nolog.scan":  "エラー（ログごとの理由も表示）",
	"policy.nolog.does":  "拒否する",

	"policy.newlog.state": "ダーティで、ログが Windows 8.1 以降のもの",
	"policy.newlog.scan":  "エラー",
	"policy.newlog.does":  "拒否する",

	"policy.logless.state": "クリーンだが、`SYSTEM.LOG1` がない、小さすぎる、置き場所が安全でない",
	"policy.logless.scan":  "何も表示しない",
	"policy.logless.does":  "ログなしで修復する。書き込みの順序がハイブを健全に保つ",

	"policy.broken.state": "壊れている（Windows 自身の検査と同じ基準）",
	"policy.broken.scan":  "エラー（構造とオフセットも表示）",
	"policy.broken.does":  "拒否する",

	"policy.nothive.state": "ハイブではない",
	"policy.nothive.scan":  "エラー",
	"policy.nothive.does":  "拒否する",

	"policy.notsystem.state": "SYSTEM 以外のハイブ",
	"policy.notsystem.scan":  "エラー",
	"policy.notsystem.does":  "拒否する",

	"policy.controlset.state": "`Select` が存在しないコントロールセットを指している",
	"policy.controlset.scan":  "エラー",
	"policy.controlset.does":  "拒否する。`--control-set default` ならそのセットなしで済むことがある",

	"policy.nokey.state": "どの Windows にもあるキーがない",
	"policy.nokey.scan":  "何も表示しない",
	"policy.nokey.does":  "拒否する",

	"policy.unexpected.state": "変更する値の型が Windows のものと違う",
	"policy.unexpected.scan":  "値をそのまま",
	"policy.unexpected.does":  "拒否する",

	"policy.mustgrow.state": "入る空きセルがなく、最後のビンのあとにも余地がない",
	"policy.mustgrow.scan":  "何も表示しない",
	"policy.mustgrow.does":  "ボリューム上では拒否する。通常のファイルなら大きくする",

	"policy.compressed.state": "NTFS 上で圧縮されている",
	"policy.compressed.scan":  "修復は拒否される旨とその理由",
	"policy.compressed.does":  "拒否する",

	"policy.sparse.state": "NTFS 上でスパースになっている",
	"policy.sparse.scan":  "修復は拒否される旨とその理由",
	"policy.sparse.does":  "拒否する",

	"policy.encrypted.state": "NTFS 上で暗号化されている（EFS）",
	"policy.encrypted.scan":  "修復は拒否される旨とその理由",
	"policy.encrypted.does":  "拒否する",

	"policy.resident.state": "小さすぎて MFT レコードの中にある",
	"policy.resident.scan":  "修復は拒否される旨とその理由",
	"policy.resident.does":  "拒否する",

	"policy.misplaced.state": "クラスターが空き扱い、二重使用、NTFS 自身のもの、または未初期化",
	"policy.misplaced.scan":  "修復は拒否される旨とその理由",
	"policy.misplaced.does":  "拒否する",

	"policy.filter.state": "ドライバーの名前が `UpperFilters` や `LowerFilters` にある",
	"policy.filter.scan":  "どこにあるか",
	"policy.filter.does":  "その名前もリストから外す（残すと Windows は 0x0000007B で停止する）",

	"policy.dependent.state": "ドライバーのどれかを必要とするサービス",
	"policy.dependent.scan":  "どのサービスか",
	"policy.dependent.does":  "修復し、そのサービスは開始しなくなる旨を示す",

	"policy.stale.state": "計画を立てたあとにハイブ、ログ、ディスクのどれかが変わった",
	"policy.stale.does":  "拒否する",

	"policy.backup.state": "バックアップを書いて読み戻すことができない",
	"policy.backup.does":  "拒否する。途中までのものは消す",

	"policy.sharesmedium.state": "バックアップやレポートの置き場所が作業対象のディスクの上",
	"policy.sharesmedium.does":  "拒否する",

	"policy.volatile.state": "バックアップが、指定されたのでないメモリ上のフォルダーに置かれる",
	"policy.volatile.does":  "拒否する",

	"policy.disagree.state": "libhivex による新しいハイブの読み取りが unloop と食い違う、または異常終了する",
	"policy.disagree.does":  "拒否し、最初の相違点を示す",

	"policy.nojudge.state": "`--crosscheck require` なのに unloop-crosscheck がない",
	"policy.nojudge.does":  "拒否する",

	"policy.mismatch.state": "編集後のハイブが計画と違う",
	"policy.mismatch.does":  "拒否する。これは unloop の誤り",

	"policy.noservice.state": "`--service` で指定されたサービスがどのコントロールセットにもない",
	"policy.noservice.does":  "拒否する",

	"policy.nottwohives.state": "`diff` の片側がちょうど 1 つのハイブではない",
	"policy.nottwohives.does":  "拒否する",

	"policy.ours.state": "ハイブが修復で書いたままである",
	"policy.ours.does":  "ハイブとログを元のバイトに戻す",

	"policy.moved.state": "そのあと Windows が動いた",
	"policy.moved.does":  "unloop が書いた値だけを元に戻す",

	"policy.differs.state": "その値のどれかを誰かが変えている",
	"policy.differs.does":  "拒否し、その値を示す",

	"policy.nobackup.state": "ハイブに対応するバックアップがない",
	"policy.nobackup.does":  "拒否する。ほかにもあるときは飛ばす",

	"policy.severalbackups.state": "合うバックアップが複数ある",
	"policy.severalbackups.does":  "拒否して一覧を示す（`--from` で決める）",

	"policy.unknownauto.state": "自動モードで、どの Windows か分からない",
	"policy.unknownauto.does":  "手を付けない",

	"policy.nowindowshere.state": "ディスクはあるが Windows がない",
	"policy.nowindowshere.does":  "その旨を示す",

	"policy.nostick.state": "USB メモリ自体が見つからない",
	"policy.nostick.does":  "修復しない（バックアップの置き場所がない）",

	"policy.stickreadonly.state": "USB メモリが書き込み禁止",
	"policy.stickreadonly.does":  "修復しない",

	"policy.stickgone.state": "USB メモリが抜かれた",
	"policy.stickgone.does":  "修復しない",

	"policy.stickbackup.state": "USB メモリにバックアップを書けない",
	"policy.stickbackup.does":  "修復しない",

	"policy.owndisk.state": "このマシンが動いているディスク",
	"policy.owndisk.does":  "拒否する",

	"policy.fixed.state": "リムーバブルでも USB でもないディスク、または 260 GB を超えるディスク",
	"policy.fixed.does":  "ディスク名を入力または指定したときだけ上書きする",

	"policy.holdswindows.state": "Windows がある、または調べられない場所にある可能性がある",
	"policy.holdswindows.does":  "同上",

	"policy.wrongname.state": "入力または指定された名前が違う",
	"policy.wrongname.does":  "拒否する",

	"policy.stillmounted.state": "ディスク上の何かがマウントされている",
	"policy.stillmounted.does":  "拒否する",

	"policy.notdrive.state": "ディスク全体ではない",
	"policy.notdrive.does":  "拒否する",

	"policy.toosmall.state": "イメージより小さい",
	"policy.toosmall.does":  "拒否する",

	"policy.badstick.state": "イメージが USB メモリのものでない、または壊れている",
	"policy.badstick.does":  "拒否する",

	"policy.notimagefile.state": "イメージの名前が通常のファイル以外を指している",
	"policy.notimagefile.does":  "拒否する",
}
