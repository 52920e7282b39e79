@echo off
rem unloop.cmd repairs, without starting Windows, 32-bit Windows 7 PCs that restart over and over because of
rem the HASP dongle drivers. It needs cmd.exe, reg.exe and xcopy.exe alone, and so runs in the recovery
rem environment of every Windows since 7, and in every WinPE. It is the small brother of unloop.exe: it takes
rem no driver out of a filter list, and it works on values, not on bytes.
rem
rem No line of this file is longer than what an old editor shows, and none leaves ASCII: recovery
rem environments have consoles of many code pages.
setlocal EnableExtensions DisableDelayedExpansion
set "MYDIR=%~dp0"
set "MYDRIVE=%~d0"
set "MODE=repair"
set "ASK=1"
set "FORCE="
set "ONLY="
set "BACKUPS="
set "FROM="

:args
if "%~1"=="" goto begin
set "ARG=%~1"
if "%ARG%"=="/?" goto help
if /i "%ARG%"=="/h" goto help
if /i "%ARG%"=="/help" goto help
if /i "%ARG%"=="--help" goto help
if /i "%ARG%"=="/dryrun" goto argdryrun
if /i "%ARG%"=="/undo" goto argundo
if /i "%ARG%"=="/y" goto argyes
if /i "%ARG%"=="/force" goto argforce
if /i "%ARG%"=="/backup" goto argbackup
if /i "%ARG%"=="/from" goto argfrom
if not "%ARG:~1,1%"==":" goto usage
if not "%ARG:~2%"=="" if not "%ARG:~2%"=="\" goto usage
if defined ONLY goto usage
set "ONLY=%ARG:~0,2%"
shift /1
goto args

:argdryrun
if not "%MODE%"=="repair" goto usage
set "MODE=dryrun"
shift /1
goto args

:argundo
if not "%MODE%"=="repair" goto usage
set "MODE=undo"
shift /1
goto args

:argyes
set "ASK="
shift /1
goto args

:argforce
set "FORCE=1"
shift /1
goto args

:argbackup
if "%~2"=="" goto usage
set "BACKUPS=%~f2"
shift /1
shift /1
goto args

:argfrom
if "%~2"=="" goto usage
set "FROM=%~f2"
shift /1
shift /1
goto args

:usage
echo unloop: error: the command line is not understood: "%ARG%"
echo unloop: hint: unloop.cmd /? shows what there is
exit /b 2

:help
echo Repairs, without starting Windows, 32-bit Windows 7 PCs that restart over and over because of HASP drivers.
echo.
echo Usage: unloop.cmd [/dryrun or /undo] [/y] [/force] [/backup FOLDER] [/from FOLDER] [DRIVE:]
echo   DRIVE:          the drive of the sick Windows, as D: (default: every drive with a Windows that is not running)
echo   /dryrun         show the values that would change; works on a copy of the hive and changes nothing
echo   /undo           put the values back that unloop.cmd changed
echo   /y              do not ask
echo   /force          repair although it does not look like a 32-bit Windows 7 SP1
echo   /backup FOLDER  where backups and records go (default: unloop-backups beside unloop.cmd)
echo   /from FOLDER    undo: the record to take back, as E:\unloop-backups\cmd-3
echo Exit codes: 0 done or nothing to do; 1 failed, no value changed; 2 usage; 4 refused for safety, no value
echo changed; 5 values changed but not verified.
exit /b 0

rem ---- all drives -------------------------------------------------------------------------------------------

:begin
set "INPE="
reg query "HKLM\SYSTEM\CurrentControlSet\Control\MiniNT" >nul 2>nul
if not errorlevel 1 set "INPE=1"
if defined BACKUPS goto placed
if not defined INPE goto beside
if /i not "%MYDRIVE%"=="%SystemDrive%" goto beside
if "%MODE%"=="dryrun" goto beside
echo unloop: error: unloop.cmd lies in memory (%MYDRIVE%), and so would its backups
echo unloop: hint: say with /backup FOLDER where they go, as /backup E:\unloop-backups
exit /b 2
:beside
set "BACKUPS=%MYDIR%unloop-backups"
:placed
if "%BACKUPS:~-1%"=="\" set "BACKUPS=%BACKUPS:~0,-1%"
for %%b in ("%BACKUPS%") do set "BDRIVE=%%~db"
if not exist "%BACKUPS%\" md "%BACKUPS%" 2>nul
set "DIR="
echo unloop>"%BACKUPS%\write.tmp"
if not exist "%BACKUPS%\write.tmp" goto unwritable
del "%BACKUPS%\write.tmp"
call :leftovers
set "WORST=0"
set "FOUND=0"
set "HANDLED=0"
for %%d in (C D E F G H I J K L M N O P Q R S T U V W X Y Z) do call :drive %%d:
if not "%FOUND%"=="0" goto counted
echo unloop: error: no Windows is found on any drive but that of the running one
echo unloop: hint: diskpart and "list volume" show which drives there are; BitLocker: manage-bde -unlock
exit /b 4
:counted
if "%HANDLED%"=="0" if "%WORST%"=="0" set "WORST=4"
exit /b %WORST%

:unwritable
echo unloop: error: "%BACKUPS%" cannot be written, so there would be no way back
echo unloop: hint: say with /backup FOLDER where backups go, as /backup E:\unloop-backups
exit /b 4

rem :leftovers gives back what a run that was ended by Ctrl-C may have left loaded.
:leftovers
reg query HKLM >"%BACKUPS%\query.tmp" 2>nul
for /f "usebackq delims=" %%k in ("%BACKUPS%\query.tmp") do call :leftover "%%k"
del "%BACKUPS%\query.tmp" 2>nul
exit /b 0

:leftover
set "LINE=%~1"
if not "%LINE:~0,26%"=="HKEY_LOCAL_MACHINE\unloop-" exit /b 0
reg unload "HKLM\%LINE:~19%" >nul 2>nul
exit /b 0

:drive
if defined ONLY if /i not "%ONLY%"=="%1" exit /b 0
if /i "%1"=="%SystemDrive%" exit /b 0
if not exist %1\* exit /b 0
for /d %%w in (%1\*) do call :folder "%%w"
exit /b 0

rem :folder works on one folder, if it is that of a Windows.
:folder
set "WIN=%~1"
set "LEAF=%~nx1"
if /i "%LEAF:~0,11%"=="Windows.old" exit /b 0
if not exist "%WIN%\System32\config\SYSTEM" exit /b 0
set /a FOUND+=1
set "RC=1"
set "DIR="
set "MOUNT="
set "KEEP="
echo.
echo unloop: "%WIN%"
call :windows
if defined MOUNT call :unload
if defined DIR del "%DIR%\query.tmp" "%DIR%\filter.tmp" 2>nul
if defined DIR if not defined KEEP rd /s /q "%DIR%"
if "%RC%"=="skip" exit /b 0
set /a HANDLED+=1
if "%RC%"=="5" set "WORST=5"
if "%RC%"=="1" if not "%WORST%"=="5" set "WORST=1"
if "%RC%"=="4" if "%WORST%"=="0" set "WORST=4"
exit /b 0

rem ---- one Windows: RC is its exit code, or skip ------------------------------------------------------------

:windows
set "CONFIG=%WIN%\System32\config"
set "ROOT=%WIN:~0,2%"
if /i "%ROOT%"=="%BDRIVE%" goto samedrive
if exist "%WIN%\SysWOW64\" if not defined FORCE goto notaffected
call :hibernated
if not "%SLEEP%"=="no" goto asleep
call :newfolder
if not defined DIR goto nofolder
call :copyhive
if not "%COPIED%"=="yes" goto nocopy
set "MOUNT=unloop-%RANDOM%%RANDOM%"
set "HIVE=%CONFIG%\SYSTEM"
if "%MODE%"=="dryrun" set "HIVE=%DIR%\SYSTEM"
reg load "HKLM\%MOUNT%" "%HIVE%" >nul 2>nul
if errorlevel 1 goto noload
set "MSG=hive: %HIVE%"
call :log
call :controlsets
if not "%SETSOK%"=="yes" goto badsets
call :value "%DEFAULTSET%\Control\ComputerName\ComputerName" ComputerName
set "PC=PC %VDATA%"
if "%MODE%"=="undo" goto undo
call :isseven
if not "%SEVEN%"=="yes" if not defined FORCE goto notaffected
goto repair

:samedrive
set "MSG=error: the backups would lie on the drive that is to be repaired; name another with /backup FOLDER"
goto refused
:notaffected
set "MSG=not affected: this is not a 32-bit Windows 7 SP1 (see /force)"
if defined ONLY goto refused
call :say
set "RC=skip"
exit /b 0
:asleep
set "MSG=error: Windows is hibernated on %ROOT%; start it and shut it down, or delete hiberfil.sys"
if "%SLEEP%"=="unreadable" set "MSG=error: %ROOT%\hiberfil.sys cannot be read, so hibernation cannot be ruled out"
goto refused
:nofolder
set "MSG=error: no folder can be made below %BACKUPS%"
goto refused
:nocopy
set "MSG=error: the backup could not be written; is there room on %BDRIVE%?"
goto refused
:noload
set "MOUNT="
set "MSG=error: the hive cannot be loaded: it is in use or damaged, or this prompt has no administrator rights"
goto failed
:badsets
set "MSG=error: Select names a control set that is not there, or is damaged"
goto refused
:refused
call :say
set "RC=4"
exit /b 0
:failed
call :say
set "RC=1"
exit /b 0

rem ---- repair -----------------------------------------------------------------------------------------------

:repair
set "TROUBLE="
set "PLANNED=0"
for %%s in (%SETS%) do call :planset %%s
if defined TROUBLE goto refusedplan
if "%PLANNED%"=="0" goto nothing
if "%MODE%"=="dryrun" goto dry
if defined ASK call :ask
if defined ASK if /i not "%ANSWER%"=="y" goto no
call :keeppc
set "KEEP=1"
for /f "usebackq tokens=1-4 delims=|" %%a in ("%DIR%\plan.txt") do call :write "%%a" %%b %%d
if defined TROUBLE goto halfway
call :verify new
if defined TROUBLE goto halfway
echo done>"%DIR%\done.txt"
set "MSG=REPAIRED, written and read back. Backup and record: %DIR%"
call :say
set "MSG=price of the override: the protection against Meltdown and Spectre v2 is off on this PC; keep it off the open network"
call :say
set "MSG=price of disabled drivers: programs that need a HASP4 or Hardlock key stop until the maker's new driver is there"
call :say
set "MSG=the way back: unloop.cmd /undo %ROOT%"
call :say
set "RC=0"
exit /b 0

:nothing
set "MSG=nothing to do, everything is as a repair would leave it"
call :say
set "RC=0"
exit /b 0
:dry
set "MSG=dry run, nothing was written to %ROOT%"
call :say
set "RC=0"
exit /b 0
:no
set "MSG=error: not written, the answer was no"
goto failed
:refusedplan
set "MSG=error: %TROUBLE%"
goto refused
:halfway
set "MSG=error: %TROUBLE%; values may be half changed. The old hive is in %DIR%"
call :say
set "RC=5"
exit /b 0

rem :planset SET adds to plan.txt what a control set needs: KEY, VALUE, OLD (or absent), NEW between bars.
:planset
set "MM=%1\Control\Session Manager\Memory Management"
reg query "HKLM\%MOUNT%\%MM%" >nul 2>nul
if errorlevel 1 set "TROUBLE=%MM% is missing"
call :planoverride FeatureSettingsOverride
call :planoverride FeatureSettingsOverrideMask
call :filters %1
call :plandriver %1 haspnt "%HASPNTLISTED%"
call :plandriver %1 hardlock "%HARDLOCKLISTED%"
exit /b 0

rem :planoverride VALUE sets bits 0 and 1 and leaves the others.
:planoverride
call :value "%MM%" %1
if not defined VTYPE goto overrideabsent
call :number
if not defined NUMBER set "TROUBLE=%MM%, %1: %VTYPE% %VDATA% is not a number that cmd.exe can reckon with; use unloop.exe"
if not defined NUMBER exit /b 0
set /a "NEW=NUMBER | 3"
if "%NEW%"=="%NUMBER%" exit /b 0
call :plan "%MM%" %1 %NUMBER% %NEW%
exit /b 0
:overrideabsent
call :plan "%MM%" %1 absent 3
exit /b 0

rem :plandriver SET NAME LISTED disables a driver, unless a filter list names it: Windows would stop with 0x7B.
:plandriver
call :value "%1\services\%2" Start
if not defined VTYPE exit /b 0
call :number
if not defined NUMBER set "TROUBLE=%1\services\%2, Start: %VTYPE% %VDATA% is not a number"
if not defined NUMBER exit /b 0
if not "%~3"=="" goto listed
if "%NUMBER%"=="4" exit /b 0
call :plan "%1\services\%2" Start %NUMBER% 4
exit /b 0
:listed
set "MSG=%1: %2 stands in a filter list and is left as it is; unloop.exe can take it out"
call :say
exit /b 0

:plan
set /a PLANNED+=1
set "LINE=%~1|%2|%3|%4"
setlocal EnableDelayedExpansion
echo !LINE!>>"!DIR!\plan.txt"
endlocal
set "MSG=%~1, %2: now %3, new %4"
call :say
exit /b 0

rem :filters SET looks for the drivers in every UpperFilters and LowerFilters.
:filters
set "HASPNTLISTED="
set "HARDLOCKLISTED="
reg query "HKLM\%MOUNT%\%1\Control\Class" /s /v UpperFilters >"%DIR%\filter.tmp" 2>nul
reg query "HKLM\%MOUNT%\%1\Control\Class" /s /v LowerFilters >>"%DIR%\filter.tmp" 2>nul
reg query "HKLM\%MOUNT%\%1\Enum" /s /v UpperFilters >>"%DIR%\filter.tmp" 2>nul
reg query "HKLM\%MOUNT%\%1\Enum" /s /v LowerFilters >>"%DIR%\filter.tmp" 2>nul
for /f "usebackq tokens=1,2,*" %%a in ("%DIR%\filter.tmp") do (
	set "VNAME=%%a"
	set "LIST=\0%%c\0"
	call :filterlist
)
exit /b 0

:filterlist
set "VNAME=%VNAME:"=%"
set "LIST=%LIST:"=%"
if /i not "%VNAME%"=="UpperFilters" if /i not "%VNAME%"=="LowerFilters" exit /b 0
set "REST=%LIST:\0haspnt\0=%"
if not "%REST%"=="%LIST%" set "HASPNTLISTED=1"
set "REST=%LIST:\0hardlock\0=%"
if not "%REST%"=="%LIST%" set "HARDLOCKLISTED=1"
exit /b 0

rem ---- undo -------------------------------------------------------------------------------------------------

:undo
set "RECORD=%FROM%"
if not defined RECORD call :findrecord
if not defined RECORD goto norecord
if not exist "%RECORD%\plan.txt" goto norecord
set "TROUBLE="
for /f "usebackq tokens=1-4 delims=|" %%a in ("%RECORD%\plan.txt") do call :isstill "%%a" %%b %%d %%c
if defined TROUBLE goto refusedplan
if defined ASK call :ask
if defined ASK if /i not "%ANSWER%"=="y" goto no
set "KEEP=1"
for /f "usebackq tokens=1-4 delims=|" %%a in ("%RECORD%\plan.txt") do call :write "%%a" %%b %%c
if defined TROUBLE goto halfway
call :verify old
if defined TROUBLE goto halfway
echo undone>"%RECORD%\undone.txt"
set "MSG=UNDONE, the values of %RECORD% are put back and read back"
call :say
set "RC=0"
exit /b 0

:norecord
set "MSG=error: no record below %BACKUPS% belongs to this Windows; name it with /from FOLDER"
goto refused

rem :findrecord finds the newest repair of this PC that is not taken back.
:findrecord
set "K=0"
:nextrecord
set /a K+=1
if not exist "%BACKUPS%\cmd-%K%" exit /b 0
if not exist "%BACKUPS%\cmd-%K%\done.txt" goto nextrecord
if exist "%BACKUPS%\cmd-%K%\undone.txt" goto nextrecord
set "NAME="
set /p NAME=<"%BACKUPS%\cmd-%K%\pc.txt"
if defined NAME set "NAME=%NAME:"=%"
if "%NAME%"=="%PC%" set "RECORD=%BACKUPS%\cmd-%K%"
goto nextrecord

rem :isstill KEY VALUE NOW OLD: nobody else has changed the value since.
:isstill
set "MSG=%~1, %2: now %3, back to %4"
call :say
call :value "%~1" %2
call :number
if not "%NUMBER%"=="%3" set "TROUBLE=%~1, %2 has been changed by somebody else"
exit /b 0

rem ---- parts of both ----------------------------------------------------------------------------------------

rem :write KEY VALUE NUMBER writes one value; absent deletes it.
:write
if defined TROUBLE exit /b 0
if "%3"=="absent" goto writeabsent
reg add "HKLM\%MOUNT%\%~1" /v %2 /t REG_DWORD /d %3 /f >nul 2>nul
if errorlevel 1 set "TROUBLE=%~1, %2 cannot be written"
exit /b 0
:writeabsent
reg delete "HKLM\%MOUNT%\%~1" /v %2 /f >nul 2>nul
if errorlevel 1 set "TROUBLE=%~1, %2 cannot be deleted"
exit /b 0

rem :verify new|old gives the hive back to its file, loads it again and reads every value.
:verify
call :unload
if defined MOUNT set "TROUBLE=the hive cannot be unloaded"
if defined MOUNT exit /b 0
set "MOUNT=unloop-%RANDOM%%RANDOM%"
reg load "HKLM\%MOUNT%" "%HIVE%" >nul 2>nul
if errorlevel 1 set "TROUBLE=the hive cannot be loaded again"
set "PLANFILE=%DIR%\plan.txt"
if "%1"=="old" set "PLANFILE=%RECORD%\plan.txt"
if "%1"=="new" for /f "usebackq tokens=1-4 delims=|" %%a in ("%PLANFILE%") do call :isnow "%%a" %%b %%d
if "%1"=="old" for /f "usebackq tokens=1-4 delims=|" %%a in ("%PLANFILE%") do call :isnow "%%a" %%b %%c
exit /b 0

:isnow
call :value "%~1" %2
set "NUMBER=absent"
if defined VTYPE call :number
if not "%NUMBER%"=="%3" set "TROUBLE=%~1, %2 does not read back as %3"
exit /b 0

rem :unload unsets MOUNT once the hive is given back.
:unload
for %%i in (1 2 3 4 5) do call :tryunload
if defined MOUNT set "MSG=error: the hive is still loaded as HKLM\%MOUNT%; give it back with reg unload"
if defined MOUNT call :say
exit /b 0

:tryunload
if not defined MOUNT exit /b 0
reg unload "HKLM\%MOUNT%" >nul 2>nul
if not errorlevel 1 set "MOUNT="
exit /b 0

rem :value KEY NAME sets VTYPE and VDATA, to nothing if there is no such value.
:value
set "VTYPE="
set "VDATA="
reg query "HKLM\%MOUNT%\%~1" /v %2 >"%DIR%\query.tmp" 2>nul
for /f "usebackq tokens=1,2,*" %%a in ("%DIR%\query.tmp") do (
	set "LINE1=%%a"
	set "LINE2=%%b"
	set "LINE3=%%c"
	call :valueline %2
)
exit /b 0

:valueline
set "LINE1=%LINE1:"=%"
if defined LINE3 set "LINE3=%LINE3:"=%"
if /i not "%LINE1%"=="%1" exit /b 0
set "VTYPE=%LINE2%"
set "VDATA=%LINE3%"
exit /b 0

rem :number makes NUMBER of a REG_DWORD; of larger ones than cmd.exe's signed numbers it makes nothing.
:number
set "NUMBER="
if not "%VTYPE%"=="REG_DWORD" exit /b 0
if not "%VDATA:~0,9%"=="%VDATA%" exit /b 0
set /a "NUMBER=%VDATA%"
exit /b 0

rem :controlsets finds the control sets that Select names as Default, Current and LastKnownGood.
:controlsets
set "SETSOK=yes"
set "SETS="
set "DEFAULTSET="
call :addset Default
set "DEFAULTSET=%SETS%"
call :addset Current
call :addset LastKnownGood
if not defined DEFAULTSET set "SETSOK=no"
exit /b 0

:addset
call :value Select %1
if not defined VTYPE exit /b 0
call :number
if not defined NUMBER set "SETSOK=no"
if not defined NUMBER exit /b 0
if "%NUMBER%"=="0" exit /b 0
set "NUMBER=00%NUMBER%"
set "SET=ControlSet%NUMBER:~-3%"
for %%s in (none %SETS%) do if "%%s"=="%SET%" set "SET="
if not defined SET exit /b 0
reg query "HKLM\%MOUNT%\%SET%" >nul 2>nul
if errorlevel 1 set "SETSOK=no"
if defined SETS set "SETS=%SETS% %SET%"
if not defined SETS set "SETS=%SET%"
exit /b 0

rem :isseven: 32-bit Windows 7 SP1, by what the SYSTEM hive says of itself.
:isseven
set "SEVEN=no"
call :value "%DEFAULTSET%\Control\Session Manager\Environment" PROCESSOR_ARCHITECTURE
if /i not "%VDATA%"=="x86" exit /b 0
call :value "%DEFAULTSET%\Control\Windows" CSDVersion
call :number
if not "%NUMBER%"=="256" exit /b 0
call :value "%DEFAULTSET%\Control\Windows" CSDBuildNumber
call :number
if "%NUMBER%"=="17514" set "SEVEN=yes"
exit /b 0

rem :hibernated reads the first letters of hiberfil.sys. One that was zeroed by a normal resume gives none. Where
rem the file cannot be opened, :readhead is not called.
:hibernated
set "SLEEP=no"
if not exist "%ROOT%\hiberfil.sys" exit /b 0
set "SLEEP=unreadable"
set "HEAD="
call :readhead <"%ROOT%\hiberfil.sys" 2>nul
if not defined HEAD exit /b 0
set "HEAD=%HEAD:"=%"
if not defined HEAD exit /b 0
if /i "%HEAD:~0,4%"=="hibr" set "SLEEP=yes"
exit /b 0

:readhead
set "SLEEP=no"
set /p HEAD=
exit /b 0

rem :newfolder makes a folder of its own for this run.
:newfolder
set "K=0"
:nextfolder
set /a K+=1
if %K% gtr 9999 exit /b 0
if exist "%BACKUPS%\cmd-%K%" goto nextfolder
md "%BACKUPS%\cmd-%K%" 2>nul
if exist "%BACKUPS%\cmd-%K%" set "DIR=%BACKUPS%\cmd-%K%"
exit /b 0

rem :copyhive copies hive and logs, which are hidden, and compares the sizes.
:copyhive
set "COPIED=yes"
for %%f in (SYSTEM SYSTEM.LOG SYSTEM.LOG1 SYSTEM.LOG2) do if exist "%CONFIG%\%%f" call :copyfile %%f
exit /b 0

:copyfile
xcopy "%CONFIG%\%1" "%DIR%\" /h /r /k /y /q >nul 2>nul
if not exist "%DIR%\%1" copy /b "%CONFIG%\%1" "%DIR%\%1" >nul 2>nul
if not exist "%DIR%\%1" set "COPIED=no"
set "SIZE=0"
set "SIZE2=1"
for %%f in ("%CONFIG%\%1") do set "SIZE=%%~zf"
for %%f in ("%DIR%\%1") do set "SIZE2=%%~zf"
if not "%SIZE%"=="%SIZE2%" set "COPIED=no"
exit /b 0

:ask
set "ANSWER="
set /p ANSWER=unloop: write this to "%CONFIG%\SYSTEM"? [y/N] 
exit /b 0

:say
setlocal EnableDelayedExpansion
echo unloop: !MSG!
endlocal
:log
if not defined DIR exit /b 0
setlocal EnableDelayedExpansion
echo !MSG!>>"!DIR!\unloop.log"
endlocal
exit /b 0

rem :keeppc notes whose record this is. The name comes from the hive: nothing in it may be obeyed.
:keeppc
setlocal EnableDelayedExpansion
echo !PC!>"!DIR!\pc.txt"
endlocal
exit /b 0
